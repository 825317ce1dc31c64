package allocate

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

func TestOrphansAreClaimsThatNoServiceHas(t *testing.T) {
	web := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "web"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeNodePort, ClusterIP: "10.0.0.5", ClusterIPs: []string{"10.0.0.5"}, Ports: []corev1.ServicePort{{NodePort: 30001}},
	}}
	owned := []claim{{ip: "10.0.0.5", namespace: "a", name: "web"}, {port: 30001}}
	lost := []claim{{ip: "10.0.0.6", namespace: "a", name: "web"}, {ip: "10.0.0.7", namespace: "b", name: "web"}, {port: 30002}}
	if got := orphans(slices.Concat(owned, lost), []*corev1.Service{web}); !slices.Equal(got, lost) {
		t.Errorf("got %v, want %v", got, lost)
	}
}

func TestOnlyWhatIsLongWithoutAServiceIsFreed(t *testing.T) {
	start := time.Unix(1000, 0)
	port, address := claim{port: 30002}, claim{ip: "10.0.0.6", namespace: "a", name: "web"}
	var since map[string]time.Time
	for _, row := range []struct {
		after   time.Duration
		orphans []claim
		leaked  []claim
	}{
		{0, []claim{port, address}, nil},
		{50 * time.Second, []claim{port}, nil}, // the address has its Service now
		{60 * time.Second, []claim{port, address}, []claim{port}},
		{70 * time.Second, []claim{address}, nil},
		{119 * time.Second, []claim{address}, nil},
		{120 * time.Second, []claim{address}, []claim{address}},
	} {
		var leaked []claim
		leaked, since = overdue(row.orphans, since, start.Add(row.after))
		if !slices.Equal(leaked, row.leaked) {
			t.Errorf("after %s: freed %v, want %v", row.after, leaked, row.leaked)
		}
	}
}

func TestTakenPorts(t *testing.T) {
	p := &ports{store: memory.New(), first: 30000, count: 2768}
	for _, port := range []int32{30000, 32767, 30100} {
		if _, err := p.take(t.Context(), port, false); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := p.taken(t.Context()); err != nil || !slices.Equal(got, []int32{30000, 30100, 32767}) {
		t.Errorf("got %v, %v", got, err)
	}
}
