// Package allocation keeps the addresses that pods of this node have: one file, changed under a lock and replaced whole.
//
// It is fed by package cni, one short process per pod, several at a time; and it survives them and the node. It gives out addresses and knows
// nothing of links.
package allocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// ErrFull says that a range has no address left.
var ErrFull = errors.New("no address is left")

// Owner is one interface of one sandbox.
type Owner struct {
	Container string `json:"container"`
	Interface string `json:"interface"`
}

// Port is a port of the host that leads to a pod.
type Port struct {
	// Host address; the zero value is every address of the node.
	Host          netip.Addr `json:"host,omitzero"`
	HostPort      uint16     `json:"hostPort"`
	ContainerPort uint16     `json:"containerPort"`
	// Protocol is tcp, udp or sctp.
	Protocol string `json:"protocol"`
}

// Allocation is what an owner has.
type Allocation struct {
	Owner
	Addresses []netip.Addr `json:"addresses"`
	Ports     []Port       `json:"ports,omitempty"`
}

// Book is all allocations of the node.
type Book struct {
	// Last is the address given last in each range: the next one is sought behind it, so that an address rests before it serves another pod.
	Last        map[string]netip.Addr `json:"last"`
	Allocations []Allocation          `json:"allocations"`
}

const (
	bookFile = "allocations.json"
	lockFile = "lock"
)

// Change reads the book in folder, has change alter it, and writes it back, while no other process does. Nothing is written when change fails.
func Change(folder string, change func(*Book) error) error {
	unlock, err := lock(folder)
	if err != nil {
		return err
	}
	defer unlock()
	book, err := read(folder)
	if err != nil {
		return err
	}
	if err := change(book); err != nil {
		return err
	}
	return write(folder, book)
}

// Read returns the book in folder.
func Read(folder string) (*Book, error) {
	unlock, err := lock(folder)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return read(folder)
}

func lock(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of allocations: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the allocations: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock the allocations: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

func read(folder string) (*Book, error) {
	book := &Book{Last: map[string]netip.Addr{}}
	raw, err := os.ReadFile(filepath.Join(folder, bookFile))
	if errors.Is(err, fs.ErrNotExist) {
		return book, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the allocations: %w", err)
	}
	if err := json.Unmarshal(raw, book); err != nil {
		return nil, fmt.Errorf("read the allocations in %s: %w", filepath.Join(folder, bookFile), err)
	}
	if book.Last == nil {
		book.Last = map[string]netip.Addr{}
	}
	return book, nil
}

func write(folder string, book *Book) error {
	raw, err := json.Marshal(book)
	if err != nil {
		return fmt.Errorf("write the allocations: %w", err)
	}
	path := filepath.Join(folder, bookFile)
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("write the allocations: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the allocations: %w", err)
	}
	return nil
}

// Find returns what owner has.
func (b *Book) Find(owner Owner) (Allocation, bool) {
	i := slices.IndexFunc(b.Allocations, func(a Allocation) bool { return a.Owner == owner })
	if i < 0 {
		return Allocation{}, false
	}
	return b.Allocations[i], true
}

// Release takes away what owner has.
func (b *Book) Release(owner Owner) {
	b.Allocations = slices.DeleteFunc(b.Allocations, func(a Allocation) bool { return a.Owner == owner })
}

// Allocate gives owner one address of each range; one that it has already, it keeps.
func (b *Book) Allocate(owner Owner, ranges []netip.Prefix, ports []Port) (Allocation, error) {
	have, _ := b.Find(owner)
	out := Allocation{Owner: owner, Ports: ports}
	for _, r := range ranges {
		i := slices.IndexFunc(have.Addresses, r.Contains)
		if i >= 0 {
			out.Addresses = append(out.Addresses, have.Addresses[i])
			continue
		}
		address, err := b.next(r)
		if err != nil {
			return Allocation{}, err
		}
		b.Last[r.String()] = address
		out.Addresses = append(out.Addresses, address)
	}
	b.Release(owner)
	b.Allocations = append(b.Allocations, out)
	return out, nil
}

// next finds the first free address behind the last one given. The first two of a range and the last of an IPv4 range are never given: they read
// as the network, its router and its broadcast address.
func (b *Book) next(r netip.Prefix) (netip.Addr, error) {
	r = r.Masked()
	first := r.Addr().Next().Next()
	taken := map[netip.Addr]bool{}
	for _, a := range b.Allocations {
		for _, address := range a.Addresses {
			taken[address] = true
		}
	}
	usable := func(a netip.Addr) bool { return r.Contains(a) && (a.Is6() || r.Contains(a.Next())) }
	from := b.Last[r.String()]
	if !from.IsValid() || !usable(from) {
		from = first.Prev()
	}
	candidate := from
	for range len(taken) + 2 {
		candidate = candidate.Next()
		if !usable(candidate) {
			candidate = first
		}
		if usable(candidate) && !taken[candidate] {
			return candidate, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%w in %s", ErrFull, r)
}
