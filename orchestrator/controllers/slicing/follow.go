package slicing

import (
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
)

// Follow asks for a sync of the Service of each slice of that manager that changes: what others did to a slice is put right.
func Follow(l *loop.Loop, slices cache.SharedIndexInformer, manager string) {
	loop.On(l, slices, func(old, new *discovery.EndpointSlice) {
		for _, slice := range []*discovery.EndpointSlice{old, new} {
			if slice != nil && slice.Labels[discovery.LabelManagedBy] == manager {
				l.Add(slice.Namespace + "/" + slice.Labels[discovery.LabelServiceName])
			}
		}
	})
}
