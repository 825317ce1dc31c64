package allocate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// portsKey is where stock keeps the bitmap.
const portsKey = "/registry/ranges/servicenodeports"

// ports claims node ports in the stored bitmap: bit n is port first+n, in a big-endian integer as stock writes it.
type ports struct {
	store        store.Store
	first, count int32
}

var rangeCodec = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// take claims a port, or any free one when port is 0.
func (p *ports) take(ctx context.Context, port int32, dryRun bool) (int32, error) {
	if port != 0 && (port < p.first || port >= p.first+p.count) {
		if dryRun {
			return port, nil // stock's dry run knows no range
		}
		return 0, fmt.Errorf("%w. The range of valid ports is %d-%d", errOutside, p.first, p.first+p.count-1)
	}
	got := port
	err := p.change(ctx, dryRun, func(bits *big.Int) error {
		got = port
		if port == 0 {
			free, ok := p.free(bits)
			if !ok {
				return errors.New("range is full")
			}
			got = free
		}
		if bits.Bit(int(got-p.first)) == 1 {
			return errTaken
		}
		bits.SetBit(bits, int(got-p.first), 1)
		return nil
	})
	return got, err
}

// give frees a port. Best effort: Repair finds leaks.
func (p *ports) give(ctx context.Context, port int32) {
	if port < p.first || port >= p.first+p.count {
		return
	}
	_ = p.change(ctx, false, func(bits *big.Int) error {
		bits.SetBit(bits, int(port-p.first), 0)
		return nil
	})
}

// taken lists the ports that are claimed.
func (p *ports) taken(ctx context.Context) ([]int32, error) {
	var all []int32
	err := p.change(ctx, true, func(bits *big.Int) error {
		for n := range p.count {
			if bits.Bit(int(n)) == 1 {
				all = append(all, p.first+n)
			}
		}
		return nil
	})
	return all, err
}

// free returns a free port, from a random place of the upper part on: the lower part is kept for ports that people choose (KEP-3668).
func (p *ports) free(bits *big.Int) (int32, bool) {
	kept := int32(min(max(16, int(p.count)/32), 128))
	if p.count <= kept {
		kept = 0
	}
	upper := p.count - kept
	start := rand.Int32N(upper)
	for i := range upper {
		if n := kept + (start+i)%upper; bits.Bit(int(n)) == 0 {
			return p.first + n, true
		}
	}
	for n := range kept {
		if bits.Bit(int(n)) == 0 {
			return p.first + n, true
		}
	}
	return 0, false
}

// change applies alter to the stored bitmap, again after every conflict.
func (p *ports) change(ctx context.Context, dryRun bool, alter func(*big.Int) error) error {
	entry, err := p.store.Get(ctx, portsKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for {
		allocation, err := p.decode(entry)
		if err != nil {
			return err
		}
		bits := new(big.Int).SetBytes(allocation.Data)
		if err := alter(bits); err != nil || dryRun {
			return err
		}
		allocation.Data = bits.Bytes()
		data, err := encodeRange(allocation)
		if err != nil {
			return err
		}
		put := store.Put{Key: portsKey, Value: data}
		if entry.ModRevision == 0 {
			_, err = p.store.Create(ctx, put)
		} else {
			_, err = p.store.Update(ctx, put, entry.ModRevision)
		}
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) {
			return err
		}
		entry = conflict.Current
	}
}

func (p *ports) decode(entry store.Entry) (*corev1.RangeAllocation, error) {
	named := fmt.Sprintf("%d-%d", p.first, p.first+p.count-1)
	allocation := &corev1.RangeAllocation{Range: named}
	if len(entry.Value) == 0 {
		return allocation, nil
	}
	var codec runtime.Decoder = rangeCodec
	if !bytes.HasPrefix(entry.Value, []byte("k8s\x00")) {
		codec = scheme.Codecs.UniversalDeserializer()
	}
	gvk := corev1.SchemeGroupVersion.WithKind("RangeAllocation")
	if _, _, err := codec.Decode(entry.Value, &gvk, allocation); err != nil {
		return nil, fmt.Errorf("decode %s: %w", portsKey, err)
	}
	if allocation.Range == "" {
		allocation.Range = named
	}
	if allocation.Range != named {
		return nil, fmt.Errorf("the stored node ports are of the range %s, not %s", allocation.Range, named)
	}
	return allocation, nil
}

func encodeRange(allocation *corev1.RangeAllocation) ([]byte, error) {
	allocation.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("RangeAllocation"))
	var buffer bytes.Buffer
	if err := rangeCodec.Encode(allocation, &buffer); err != nil {
		return nil, fmt.Errorf("encode %s: %w", portsKey, err)
	}
	return buffer.Bytes(), nil
}
