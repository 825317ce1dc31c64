package allocate

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAddressesComeFromRangesThatAreReadyAndStay(t *testing.T) {
	configured := block{netip.MustParsePrefix("10.96.0.0/16")}
	cidr := func(ready metav1.ConditionStatus, going bool, cidrs ...string) *networkingv1.ServiceCIDR {
		c := &networkingv1.ServiceCIDR{Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}}
		if ready != "" {
			c.Status.Conditions = []metav1.Condition{{Type: networkingv1.ServiceCIDRConditionReady, Status: ready}}
		}
		if going {
			c.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
		}
		return c
	}
	first := cidr("", false, "10.96.0.0/16")
	for name, row := range map[string]struct {
		cidrs []*networkingv1.ServiceCIDR
		want  []string
	}{
		"before anything is written":         {nil, []string{"10.96.0.0/16"}},
		"before a controller looked":         {[]*networkingv1.ServiceCIDR{first, cidr("", false, "10.250.0.0/24")}, []string{"10.96.0.0/16"}},
		"ready":                              {[]*networkingv1.ServiceCIDR{first, cidr("True", false, "10.20.0.0/24", "fd00::/112")}, []string{"10.20.0.0/24", "10.96.0.0/16"}},
		"not ready":                          {[]*networkingv1.ServiceCIDR{first, cidr("False", false, "10.250.0.0/24")}, []string{"10.96.0.0/16"}},
		"going":                              {[]*networkingv1.ServiceCIDR{first, cidr("True", true, "10.250.0.0/24")}, []string{"10.96.0.0/16"}},
		"the first one going":                {[]*networkingv1.ServiceCIDR{cidr("True", true, "10.96.0.0/16"), cidr("True", false, "10.250.0.0/24")}, []string{"10.250.0.0/24"}},
		"the first one going, no other left": {[]*networkingv1.ServiceCIDR{cidr("True", true, "10.96.0.0/16")}, nil},
	} {
		var got []string
		for _, b := range usableBlocks(row.cidrs, configured) {
			got = append(got, b.String())
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

func TestBlocksOfAllSizes(t *testing.T) {
	for prefix, size := range map[string]uint64{"10.0.0.0/24": 254, "10.0.0.0/30": 2, "10.0.0.0/31": 0, "10.0.0.0/32": 0, "fd00::/64": 65535, "fd00::/126": 3} {
		b := block{netip.MustParsePrefix(prefix)}
		if b.size() != size {
			t.Errorf("%s has %d addresses, want %d", prefix, b.size(), size)
		}
		if b.usable(b.Addr()) || size > 0 && !b.usable(b.nth(1)) || b.Addr().Is4() && b.usable(b.nth(size+1)) {
			t.Errorf("%s: its own address or its broadcast can be used, or no other", prefix)
		}
	}
}

func TestSharedNodePorts(t *testing.T) {
	ports := func(of ...int32) (slots []slot, numbers []int32) {
		numbers = make([]int32, len(of))
		for i := range of {
			slots = append(slots, slot{port: &numbers[i], of: of[i]})
		}
		return slots, numbers
	}
	slots, numbers := ports(53, 53, 80, 0)
	numbers[1] = 31053
	if share(slots); !slices.Equal(numbers, []int32{31053, 31053, 0, 0}) {
		t.Errorf("got %v", numbers)
	}
}
