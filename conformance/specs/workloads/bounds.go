package workloads

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// bounds are those of a rollout: how many pods must be Ready at every moment, and how many there may be.
type bounds struct {
	least, most int
	pods        *scene.Following[*corev1.Pod]
	sets        *scene.Following[*appsv1.ReplicaSet]

	fewest    int
	tooFew    []string
	tooMany   scene.Lasting
	tooWanted []string
}

// follow looks at every state of the pods and the ReplicaSets of an app from now on.
func (b *bounds) follow(ctx context.Context, s *scene.Scene, app string) {
	GinkgoHelper()
	b.fewest, b.tooMany.For = b.least, budget.SurplusGone.Limit()
	b.pods = s.FollowPods(ctx, app, func(pods []*corev1.Pod) { b.look(time.Now(), pods) })
	b.sets = s.FollowSets(ctx, app, b.wanted)
}

// look holds the pods against the bounds. Those that are told to end count no longer. Of the surplus a ReplicaSet may be a moment late in telling one.
func (b *bounds) look(now time.Time, pods []*corev1.Pod) {
	active, ready := 0, 0
	for _, p := range pods {
		if p.DeletionTimestamp != nil {
			continue
		}
		active++
		if scene.IsReady(p) {
			ready++
		}
	}
	if b.fewest = min(b.fewest, ready); ready < b.least {
		b.tooFew = append(b.tooFew, fmt.Sprintf("%d pods are Ready, and %d must be", ready, b.least))
	}
	surplus := ""
	if active > b.most {
		surplus = fmt.Sprintf("there are %d pods, and %d may be", active, b.most)
	}
	b.tooMany.See(now, surplus)
}

// wanted holds what the ReplicaSets are to have against the upper bound: whoever sets that has no excuse.
func (b *bounds) wanted(sets []*appsv1.ReplicaSet) {
	all := 0
	for _, rs := range sets {
		if rs.DeletionTimestamp == nil && rs.Spec.Replicas != nil {
			all += int(*rs.Spec.Replicas)
		}
	}
	if all > b.most {
		b.tooWanted = append(b.tooWanted, fmt.Sprintf("ReplicaSets want %d pods, and %d may be", all, b.most))
	}
}

// judge ends it.
func (b *bounds) judge(ctx context.Context) {
	GinkgoHelper()
	changes, set := b.pods.Stop(ctx), b.sets.Stop(ctx)
	b.tooMany.See(time.Now(), "")
	scene.Record("bounds", "%d changes of pods and %d of ReplicaSets seen, never fewer than %d pods Ready", changes, set, b.fewest)
	Expect(changes).NotTo(BeZero(), "no change of a pod was seen")
	Expect(b.tooFew).To(BeEmpty())
	Expect(b.tooMany.Wrong).To(BeEmpty())
	Expect(b.tooWanted).To(BeEmpty())
}

// left are the pods that were there before.
func left(now, before []types.UID) (same []types.UID) {
	for _, uid := range now {
		for _, old := range before {
			if uid == old {
				same = append(same, uid)
			}
		}
	}
	return same
}
