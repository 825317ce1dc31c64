package resourcequota

import (
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/component/usage"
)

// population is every object of one resource in the quota's namespace.
type population struct {
	resource schema.GroupResource
	objects  []runtime.Object
}

// status that a quota should have: what the spec bounds, and what the objects in its scopes use of it. What no population tells of, as nobody
// serves its kind just now, stays as it was.
func status(q *core.ResourceQuota, all []population, now time.Time) core.ResourceQuotaStatus {
	used := core.ResourceList{}
	for name := range q.Spec.Hard {
		used[name] = *resource.NewQuantity(0, resource.DecimalSI)
		if said, ok := q.Status.Used[name]; ok && !slices.ContainsFunc(all, func(p population) bool { return usage.Counts(p.resource, name) }) {
			used[name] = said.DeepCopy()
		}
	}
	for _, p := range all {
		names := usage.Among(p.resource, q.Spec.Hard)
		if len(names) == 0 {
			continue
		}
		for _, obj := range p.objects {
			if usage.InScope(q, obj) {
				used = usage.Add(used, usage.Mask(usage.Of(p.resource, obj, now), names))
			}
		}
	}
	return core.ResourceQuotaStatus{Hard: q.Spec.Hard.DeepCopy(), Used: used}
}

// raised is the greater of what a quota says and what was counted, of each resource counted.
func raised(said, counted core.ResourceList) core.ResourceList {
	used := counted.DeepCopy()
	for name, quantity := range counted {
		if have, ok := said[name]; ok && have.Cmp(quantity) > 0 {
			used[name] = have.DeepCopy()
		}
	}
	return used
}

// current: the quota says so already.
func current(q *core.ResourceQuota, wanted core.ResourceQuotaStatus) bool {
	return equality.Semantic.DeepEqual(q.Status.Hard, wanted.Hard) && equality.Semantic.DeepEqual(q.Status.Used, wanted.Used)
}

// interested tells whether a change of an object of the resource can change the quota's usage.
func interested(q *core.ResourceQuota, gr schema.GroupResource) bool {
	return len(usage.Among(gr, q.Spec.Hard)) > 0
}

// legacy are the resources that quotas number by their plain names.
var legacy = []string{"configmaps", "secrets", "resourcequotas", "replicationcontrollers"}

// numbered are the resources of which the quota bounds the number only.
func numbered(q *core.ResourceQuota) []schema.GroupResource {
	var all []schema.GroupResource
	for name := range q.Spec.Hard {
		text, counted := strings.CutPrefix(string(name), usage.CountPrefix)
		gr := schema.ParseGroupResource(text)
		if (counted || slices.Contains(legacy, text)) && gr != pods && gr != services && gr != claims && gr != quotas {
			all = append(all, gr)
		}
	}
	return all
}
