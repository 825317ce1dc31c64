package allocation

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func TestNext(t *testing.T) {
	tests := []struct {
		name  string
		in    string
		last  string
		taken []string
		want  string // empty: full
	}{
		{"the first of a range is its third", "10.1.0.0/24", "", nil, "10.1.0.2"},
		{"behind the last one given", "10.1.0.0/24", "10.1.0.7", nil, "10.1.0.8"},
		{"not one that is taken", "10.1.0.0/24", "10.1.0.7", []string{"10.1.0.8", "10.1.0.9"}, "10.1.0.10"},
		{"from the start after the end, without the broadcast address", "10.1.0.0/24", "10.1.0.254", nil, "10.1.0.2"},
		{"a last one of another range is forgotten", "10.1.0.0/24", "10.9.0.7", nil, "10.1.0.2"},
		{"full", "10.1.0.0/30", "10.1.0.2", []string{"10.1.0.2"}, ""},
		{"a range without room", "10.1.0.0/31", "", nil, ""},
		{"IPv6", "fd00::/64", "", []string{"fd00::2"}, "fd00::3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			book := &Book{Last: map[string]netip.Addr{}}
			if test.last != "" {
				book.Last[test.in] = netip.MustParseAddr(test.last)
			}
			for i, taken := range test.taken {
				book.Allocations = append(book.Allocations, Allocation{Owner: Owner{fmt.Sprint(i), "eth0"}, Addresses: []netip.Addr{netip.MustParseAddr(taken)}})
			}
			got, err := book.next(prefix(test.in))
			if test.want == "" {
				if !errors.Is(err, ErrFull) {
					t.Fatalf("gave %s, %v", got, err)
				}
				return
			}
			if err != nil || got != netip.MustParseAddr(test.want) {
				t.Errorf("gave %s, %v", got, err)
			}
		})
	}
}

func TestAllocateAgainKeepsTheAddress(t *testing.T) {
	book := &Book{Last: map[string]netip.Addr{}}
	ranges := []netip.Prefix{prefix("10.1.0.0/24"), prefix("fd00::/64")}
	owner := Owner{"c", "eth0"}
	first, err := book.Allocate(owner, ranges, nil)
	if err != nil || len(first.Addresses) != 2 {
		t.Fatalf("%v, %v", first, err)
	}
	again, err := book.Allocate(owner, ranges, []Port{{HostPort: 80}})
	if err != nil || again.Addresses[0] != first.Addresses[0] || len(book.Allocations) != 1 || len(again.Ports) != 1 {
		t.Errorf("%v, %v; book: %v", again, err, book)
	}
}

func TestProcessesDoNotGiveTheSameAddress(t *testing.T) {
	folder := t.TempDir()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			err := Change(folder, func(b *Book) error {
				_, err := b.Allocate(Owner{fmt.Sprint(i), "eth0"}, []netip.Prefix{prefix("10.1.0.0/24")}, nil)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	book, err := Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[netip.Addr]bool{}
	for _, a := range book.Allocations {
		seen[a.Addresses[0]] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 owners have %d addresses", len(seen))
	}
}

func TestNothingIsWrittenWhenAChangeFails(t *testing.T) {
	folder := t.TempDir()
	broken := errors.New("broken")
	err := Change(folder, func(b *Book) error {
		b.Last["x"] = netip.MustParseAddr("10.0.0.1")
		return broken
	})
	book, readErr := Read(folder)
	if !errors.Is(err, broken) || readErr != nil || len(book.Last) != 0 {
		t.Errorf("%v, %v: %v", err, readErr, book)
	}
}
