package generations

import (
	"sync"
	"testing"
)

func TestWhatIsInUseOutlivesAFlood(t *testing.T) {
	c := Cache[int, string]{Limit: 10}
	c.Put(-1, "in use", 1)
	c.Put(-2, "not in use", 1)
	for i := range 1000 {
		c.Put(i, "once", 1)
		if v, ok := c.Get(-1); !ok || v != "in use" {
			t.Fatalf("after %d others it is forgotten", i)
		}
		if n := c.Len(); n > 20 {
			t.Fatalf("%d are remembered", n)
		}
	}
	if _, ok := c.Get(-2); ok {
		t.Error("what nobody asks for is still there")
	}
}

func TestCostsAreBounded(t *testing.T) {
	c := Cache[string, int]{Limit: 10}
	c.Put("a", 1, 6)
	c.Put("a", 2, 7)
	if v, _ := c.Get("a"); v != 2 || c.cost != 7 {
		t.Errorf("%d at a cost of %d", v, c.cost)
	}
	c.Put("huge", 3, 11)
	if _, ok := c.Get("huge"); ok {
		t.Error("it costs more than all")
	}
	c.Put("b", 4, 7)
	if c.cost != 7 || c.Len() != 2 {
		t.Errorf("cost %d, %d remembered", c.cost, c.Len())
	}
}

func TestManyAtOnce(t *testing.T) {
	c := Cache[int, int]{Limit: 8}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 1000 {
				c.Put(i%20, i%20, 1)
				if v, ok := c.Get((i + g) % 20); ok && v != (i+g)%20 {
					t.Errorf("%d is %d", (i+g)%20, v)
				}
			}
		})
	}
	all.Wait()
}
