package namespace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// findings of one attempt to empty a namespace.
type findings struct {
	discovery, deletion error
	parsing             []error
	left                map[schema.GroupVersionResource]int
	finalizers          map[string]int
	grace               int64
}

func newFindings() *findings {
	return &findings{left: map[schema.GroupVersionResource]int{}, finalizers: map[string]int{}}
}

func (f *findings) failed(gvr schema.GroupVersionResource, err error) {
	f.deletion = errors.Join(f.deletion, fmt.Errorf("%s: %w", gvr.GroupResource(), err))
}

func (f *findings) remains(gvr schema.GroupVersionResource, finalizers []string, grace *int64) {
	f.left[gvr]++
	for _, name := range finalizers {
		f.finalizers[name]++
	}
	if grace != nil && gvr.Resource == "pods" {
		f.grace = max(f.grace, *grace)
	}
}

func (f *findings) err() error { return errors.Join(append(f.parsing, f.discovery, f.deletion)...) }

// estimate is how long to wait before looking again: half the longest grace period of a pod.
func (f *findings) estimate() time.Duration {
	if f.grace > 0 {
		return min(time.Duration(f.grace)*time.Second/2+time.Second, 15*time.Second)
	}
	return time.Second
}

// conditions tells why a namespace is not yet gone.
func (f *findings) conditions(status *core.NamespaceStatus, at time.Time) {
	set := func(kind core.NamespaceConditionType, bad bool, badReason, badMessage, goodReason, goodMessage string) {
		c := core.NamespaceCondition{Type: kind, Status: core.ConditionFalse, Reason: goodReason, Message: goodMessage, LastTransitionTime: meta.NewTime(at)}
		if bad {
			c.Status, c.Reason, c.Message = core.ConditionTrue, badReason, badMessage
		}
		i := slices.IndexFunc(status.Conditions, func(o core.NamespaceCondition) bool { return o.Type == kind })
		switch {
		case i < 0:
			status.Conditions = append(status.Conditions, c)
		case status.Conditions[i].Status != c.Status || status.Conditions[i].Reason != c.Reason || status.Conditions[i].Message != c.Message:
			if status.Conditions[i].Status == c.Status {
				c.LastTransitionTime = status.Conditions[i].LastTransitionTime
			}
			status.Conditions[i] = c
		}
	}
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	parsing := errors.Join(f.parsing...)
	set(core.NamespaceDeletionDiscoveryFailure, f.discovery != nil, "DiscoveryFailed", "Discovery failed for some groups, "+text(f.discovery),
		"ResourcesDiscovered", "All resources successfully discovered")
	set(core.NamespaceDeletionGVParsingFailure, parsing != nil, "GroupVersionParsingFailed", text(parsing),
		"ParsedGroupVersions", "All legacy kube types successfully parsed")
	set(core.NamespaceDeletionContentFailure, f.deletion != nil, "ContentDeletionFailed", "Failed to delete all resource types, remaining: "+text(f.deletion),
		"ContentDeleted", "All content successfully deleted, may be waiting on finalization")
	set(core.NamespaceContentRemaining, len(f.left) > 0, "SomeResourcesRemain", f.leftMessage(), "ContentRemoved", "All content successfully removed")
	set(core.NamespaceFinalizersRemaining, len(f.finalizers) > 0, "SomeFinalizersRemain", f.finalizersMessage(), "ContentHasNoFinalizers", "All content-preserving finalizers finished")
}

func (f *findings) leftMessage() string {
	var parts []string
	for gvr, n := range f.left {
		parts = append(parts, fmt.Sprintf("%s.%s has %d resource instances", gvr.Resource, gvr.Group, n))
	}
	slices.Sort(parts)
	return "Some resources are remaining: " + strings.Join(parts, ", ")
}

func (f *findings) finalizersMessage() string {
	var parts []string
	for name, n := range f.finalizers {
		parts = append(parts, fmt.Sprintf("%s in %d resource instances", name, n))
	}
	slices.Sort(parts)
	return "Some content in the namespace has finalizers remaining: " + strings.Join(parts, ", ")
}
