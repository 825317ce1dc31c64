package resourcequota

import (
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func list(pairs ...string) core.ResourceList {
	l := core.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		l[core.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return l
}

func pod(phase core.PodPhase, requests, limits core.ResourceList, deadline *int64) *core.Pod {
	return &core.Pod{
		Spec: core.PodSpec{ActiveDeadlineSeconds: deadline, Containers: []core.Container{{
			Name: "c", Resources: core.ResourceRequirements{Requests: requests, Limits: limits},
		}}},
		Status: core.PodStatus{Phase: phase},
	}
}

func TestAQuotaIsCountedAnewForWhatUsesLess(t *testing.T) {
	service := func(kind core.ServiceType) *core.Service {
		return &core.Service{Spec: core.ServiceSpec{Type: kind, Ports: make([]core.ServicePort, 1)}}
	}
	deadline := int64(1)
	pods, services := schema.GroupResource{Resource: "pods"}, schema.GroupResource{Resource: "services"}
	for name, c := range map[string]struct {
		resource schema.GroupResource
		old, new meta.Object
		want     bool
	}{
		"a Service gives its node port back":    {services, service(core.ServiceTypeNodePort), service(core.ServiceTypeClusterIP), true},
		"a Service takes a node port":           {services, service(core.ServiceTypeClusterIP), service(core.ServiceTypeNodePort), false},
		"a pod ends":                            {pods, pod(core.PodRunning, list("cpu", "1"), nil, nil), pod(core.PodFailed, list("cpu", "1"), nil, nil), true},
		"a pod runs":                            {pods, pod(core.PodPending, list("cpu", "1"), nil, nil), pod(core.PodRunning, list("cpu", "1"), nil, nil), false},
		"a deadline moves a pod between scopes": {pods, pod(core.PodRunning, nil, nil, nil), pod(core.PodRunning, nil, nil, &deadline), true},
	} {
		if got := usesLess(c.resource, c.old, c.new); got != c.want {
			t.Errorf("%s: counted %v, want %v", name, got, c.want)
		}
	}
}

func TestStatusCountsWhatIsInScope(t *testing.T) {
	now := time.Now()
	ten, grace := int64(10), int64(30)
	overdue := pod(core.PodRunning, list("cpu", "1"), nil, nil)
	overdue.DeletionTimestamp, overdue.DeletionGracePeriodSeconds = &meta.Time{Time: now.Add(-time.Hour)}, &grace
	gold := "gold"
	world := []population{
		{schema.GroupResource{Resource: "pods"}, []runtime.Object{
			pod(core.PodRunning, list("cpu", "500m", "memory", "1Gi", "example.com/foo", "2"), list("cpu", "1", "example.com/foo", "2"), nil),
			pod(core.PodRunning, nil, nil, &ten),
			pod(core.PodSucceeded, list("cpu", "7"), nil, nil),
			overdue,
		}},
		{schema.GroupResource{Resource: "services"}, []runtime.Object{
			&core.Service{Spec: core.ServiceSpec{Type: core.ServiceTypeLoadBalancer, Ports: make([]core.ServicePort, 3)}},
			&core.Service{Spec: core.ServiceSpec{Type: core.ServiceTypeNodePort, Ports: make([]core.ServicePort, 1)}},
			&core.Service{Spec: core.ServiceSpec{Type: core.ServiceTypeClusterIP, Ports: make([]core.ServicePort, 1)}},
		}},
		{schema.GroupResource{Resource: "persistentvolumeclaims"}, []runtime.Object{
			&core.PersistentVolumeClaim{Spec: core.PersistentVolumeClaimSpec{
				StorageClassName: &gold, Resources: core.VolumeResourceRequirements{Requests: list("storage", "2Gi")}}},
		}},
		{schema.GroupResource{Group: "apps", Resource: "deployments"}, []runtime.Object{&apps.Deployment{}, &apps.Deployment{}}},
	}
	cases := map[string]struct {
		hard, used core.ResourceList
		scopes     []core.ResourceQuotaScope
	}{
		"compute": {hard: list("pods", "9", "requests.cpu", "9", "cpu", "9", "limits.cpu", "9", "memory", "9", "requests.example.com/foo", "9"),
			used: list("pods", "2", "requests.cpu", "500m", "cpu", "500m", "limits.cpu", "1", "memory", "1Gi", "requests.example.com/foo", "2")},
		"count ended pods, too":         {hard: list("count/pods", "9"), used: list("count/pods", "4")},
		"pods with a deadline":          {hard: list("pods", "9"), used: list("pods", "1"), scopes: []core.ResourceQuotaScope{core.ResourceQuotaScopeTerminating}},
		"pods without a deadline":       {hard: list("pods", "9"), used: list("pods", "1"), scopes: []core.ResourceQuotaScope{core.ResourceQuotaScopeNotTerminating}},
		"best effort":                   {hard: list("pods", "9"), used: list("pods", "1"), scopes: []core.ResourceQuotaScope{core.ResourceQuotaScopeBestEffort}},
		"scopes do not apply to others": {hard: list("services", "9"), used: list("services", "0"), scopes: []core.ResourceQuotaScope{core.ResourceQuotaScopeBestEffort}},
		"services":                      {hard: list("services", "9", "services.nodeports", "9", "services.loadbalancers", "9"), used: list("services", "3", "services.nodeports", "4", "services.loadbalancers", "1")},
		"storage": {hard: list("requests.storage", "9", "gold.storageclass.storage.k8s.io/requests.storage", "9", "tin.storageclass.storage.k8s.io/persistentvolumeclaims", "9"),
			used: list("requests.storage", "2Gi", "gold.storageclass.storage.k8s.io/requests.storage", "2Gi", "tin.storageclass.storage.k8s.io/persistentvolumeclaims", "0")},
		"objects": {hard: list("count/deployments.apps", "9", "count/jobs.batch", "9"), used: list("count/deployments.apps", "2", "count/jobs.batch", "0")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := &core.ResourceQuota{Spec: core.ResourceQuotaSpec{Hard: c.hard, Scopes: c.scopes}}
			got := status(q, world, now)
			for key, want := range c.used {
				if have := got.Used[key]; have.Cmp(want) != 0 {
					t.Errorf("%s: %s, want %s", key, have.String(), want.String())
				}
			}
			if len(got.Used) != len(c.hard) {
				t.Errorf("used %v for hard %v", got.Used, c.hard)
			}
			q.Status = got
			if !current(q, status(q, world, now)) {
				t.Error("the same status again is a change")
			}
		})
	}
}

// An apiserver behind aggregation that does not answer takes no object away.
func TestWhatCannotBeCountedStaysAsItWas(t *testing.T) {
	q := &core.ResourceQuota{Spec: core.ResourceQuotaSpec{Hard: list("count/things.example.com", "5", "count/others.example.com", "5", "pods", "5")}}
	q.Status.Used = list("count/things.example.com", "3", "pods", "3")
	used := status(q, []population{{resource: pods}}, time.Now()).Used
	for name, want := range list("count/things.example.com", "3", "count/others.example.com", "0", "pods", "0") {
		if got, ok := used[name]; !ok || got.Cmp(want) != 0 {
			t.Errorf("%s in use: %s, want %s", name, got.String(), want.String())
		}
	}
}
