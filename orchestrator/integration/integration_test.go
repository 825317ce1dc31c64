package integration

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// patience is for all of it, on a machine that does other things too; on two quiet cores it takes a minute.
const patience = 8 * time.Minute

// podLives is how many pods are made and come to an end of the test, at least.
const podLives = 500

func TestFiveHundredPodLives(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a cluster")
	}
	// The first component to start sets klog's logger for the process: it must be set before a client of ours may log.
	if _, err := (&logs.Options{Output: os.Stderr}).Logger("integration"); err != nil {
		t.Fatal(err)
	}
	before := goroutines()
	t.Run("cluster", wholeCluster) // its cleanups run before the goroutines are counted
	before.nothingLeft(t)
}

func wholeCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	begun := time.Now()
	phase := func(name string) { t.Logf("%6.1f s %s", time.Since(begun).Seconds(), name) }

	p := boot(context.Background(), t)
	admin := p.admin(t, p.front)
	phase("the API answers")
	managers, schedulers := newManagers(context.Background(), t, p, 3), newSchedulers(context.Background(), t, p, 2)
	defer func() { managers.stop(t); schedulers.stop(t) }()
	ran := &census{ran: map[types.UID]string{}}
	nodes := newHollows(context.Background(), t, p, ran)
	defer end(t, nodes...)
	awaitNodes(ctx, t, admin)
	phase("every node has its addresses")

	witnesses := newWitnesses(ctx, t, p)
	l := newLives(ctx, t, admin, "lives")
	ledgers, writing := newLedgers(ctx, t, p, "lives")
	live(ctx, t, l, managers, schedulers, phase)
	end(t, writing...)
	mark(ctx, t, admin, witnesses)
	phase("everything settled and seen")

	lived := 0
	for _, w := range witnesses {
		w.held(t)
		there := w.judge(t)
		if w.resource == "pods" {
			lived = judgePods(ctx, t, admin, w, there, ran)
		}
	}
	judgeTogether(t, witnesses)
	for _, ledger := range ledgers {
		ledger.judge(ctx, t, admin, witnesses)
	}
	for _, w := range witnesses {
		w.stop()
	}
	phase(fmt.Sprintf("%d pods lived, judged", lived))
	if lived < podLives {
		t.Errorf("%d pod lives, want %d", lived, podLives)
	}
}

// awaitNodes waits for the pod addresses of every node: node IPAM runs in the leading controller-manager.
func awaitNodes(ctx context.Context, t *testing.T, admin kubernetes.Interface) {
	t.Helper()
	eventually(ctx, t, "nodes with pod addresses", func() (bool, string) {
		list, err := admin.CoreV1().Nodes().List(ctx, meta.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		ranges := map[string]bool{}
		for _, n := range list.Items {
			if n.Spec.PodCIDR != "" {
				ranges[n.Spec.PodCIDR] = true
			}
		}
		return len(ranges) == hollowNodes, fmt.Sprintf("%d nodes, %d ranges", len(list.Items), len(ranges))
	})
}

const deployments = 10

// live is the story: waves of work, and each elected component loses its leader twice while it has much to do.
func live(ctx context.Context, t *testing.T, l *lives, managers, schedulers *candidates, phase func(string)) {
	t.Helper()
	each := func(do func(name string, i int)) {
		for i := range deployments {
			do(fmt.Sprintf("web-%d", i), i)
		}
	}
	each(func(name string, _ int) { l.deploy(ctx, t, name, 8) })
	for i := range 60 {
		l.pod(ctx, t, fmt.Sprintf("early-%d", i))
	}
	schedulers.loseByTheft(ctx, t, l.client)
	l.settle(ctx, t)
	phase("deployed; the scheduler's Lease was stolen meanwhile")

	each(func(name string, _ int) { l.scale(ctx, t, name, 12) })
	each(func(name string, _ int) { l.roll(ctx, t, name, "2") })
	managers.loseByEnd(ctx, t, l.client)
	for i := range 30 {
		l.remove(ctx, t, fmt.Sprintf("early-%d", 2*i))
	}
	l.settle(ctx, t)
	phase("scaled up and rolled; the leading controller-manager ended meanwhile")

	for i := range 8 {
		l.job(ctx, t, fmt.Sprintf("job-%d", i), 15, 5)
	}
	each(func(name string, i int) { l.scale(ctx, t, name, int32(2+i)) })
	managers.loseByTheft(ctx, t, l.client)
	for i := range 80 {
		l.pod(ctx, t, fmt.Sprintf("late-%d", i))
	}
	schedulers.loseByEnd(ctx, t, l.client)
	for i := range 40 {
		l.remove(ctx, t, fmt.Sprintf("late-%d", i))
	}
	l.settle(ctx, t)
	phase("jobs done, scaled down; both lost their leader again")
}

// mark makes and deletes an object of every witnessed resource, and waits until each watch has said so: everything before it was said then.
func mark(ctx context.Context, t *testing.T, admin kubernetes.Interface, witnesses []*witness) {
	t.Helper()
	const name = "mark"
	spec := template(name, core.RestartPolicyAlways)
	spec.Spec.SchedulerName = "nobody"
	none := int32(0)
	set := &apps.ReplicaSet{ObjectMeta: meta.ObjectMeta{Name: name}, Spec: apps.ReplicaSetSpec{
		Replicas: &none, Selector: &meta.LabelSelector{MatchLabels: spec.Labels}, Template: template(name, core.RestartPolicyAlways),
	}}
	if _, err := admin.CoreV1().Pods("default").Create(ctx, &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name}, Spec: spec.Spec}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.AppsV1().ReplicaSets("default").Create(ctx, set, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CoreV1().ConfigMaps("default").Create(ctx, &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name}}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		admin.CoreV1().Pods("default").Delete(ctx, name, meta.DeleteOptions{}),
		admin.AppsV1().ReplicaSets("default").Delete(ctx, name, meta.DeleteOptions{}),
		admin.CoreV1().ConfigMaps("default").Delete(ctx, name, meta.DeleteOptions{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range witnesses {
		eventually(ctx, t, fmt.Sprintf("the mark among the %s at %s", w.resource, w.server), func() (bool, string) {
			events, broken := w.seen()
			for _, e := range events {
				if e.kind == watch.Deleted && e.name == "default/"+name {
					return true, ""
				}
			}
			return false, fmt.Sprintf("%d events %s", len(events), broken)
		})
	}
}

// judgePods: what the watch leaves is what is there, nothing was lost, and each pod ran on the one node that it was bound to. It returns how many
// pods lived.
func judgePods(ctx context.Context, t *testing.T, admin kubernetes.Interface, w *witness, there map[types.UID]event, ran *census) int {
	t.Helper()
	list, err := admin.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range list.Items {
		if e, ok := there[pod.UID]; !ok || fmt.Sprint(e.version) != pod.ResourceVersion {
			t.Errorf("pod %s is at version %s; the watch at %s left it at %d (known: %v)", pod.Name, pod.ResourceVersion, w.server, e.version, ok)
		}
	}
	if len(list.Items) != len(there) {
		t.Errorf("%d pods are there; the watch at %s left %d", len(list.Items), w.server, len(there))
	}
	ran.mu.Lock()
	defer ran.mu.Unlock()
	for _, two := range ran.twos {
		t.Errorf("pod %s: it ran twice", two)
	}
	events, _ := w.seen()
	lived := map[types.UID]bool{}
	for _, e := range events {
		lived[e.uid] = true
		if node, ok := ran.ran[e.uid]; ok && e.node != "" && node != e.node {
			t.Errorf("pod %s is bound to %s and ran on %s", e.name, e.node, node)
		}
	}
	return len(lived)
}
