package statefulset

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
)

// wakeClaimants wakes the sets that may wait for a claim to be gone.
func (c *controller) wakeClaimants(claim *core.PersistentVolumeClaim) {
	sets, err := c.Informers.Apps().V1().StatefulSets().Lister().StatefulSets(claim.Namespace).List(labels.Everything())
	if err != nil {
		return
	}
	for _, set := range sets {
		for i := range set.Spec.VolumeClaimTemplates {
			pod, ok := strings.CutPrefix(claim.Name, set.Spec.VolumeClaimTemplates[i].Name+"-")
			if ok && ordinalOf(set, pod) >= 0 {
				c.loop.Add(loop.Key(set))
			}
		}
	}
}

func (c *controller) ensureClaims(ctx context.Context, set *apps.StatefulSet, pod string) error {
	for _, claim := range claims(set, pod) {
		_, err := c.Client.CoreV1().PersistentVolumeClaims(set.Namespace).Create(ctx, claim, meta.CreateOptions{})
		switch {
		case err == nil:
			c.Events.Eventf(set, core.EventTypeNormal, "SuccessfulCreate", "create Claim %s Pod %s in StatefulSet %s success", claim.Name, pod, set.Name)
		case !apierrors.IsAlreadyExists(err):
			return fmt.Errorf("create claim %s: %w", claim.Name, err)
		}
	}
	return nil
}

// retain sees that the claims of the pods that are there have the owners that the set's policy asks for.
func (c *controller) retain(ctx context.Context, s *situation) error {
	var failed error
	for ordinal, p := range s.pods {
		wanted := ownerWanted(s.set, p, beyond(s.set, ordinal))
		for i := range s.set.Spec.VolumeClaimTemplates {
			name := claimName(&s.set.Spec.VolumeClaimTemplates[i], p.Name)
			claim, err := c.Informers.Core().V1().PersistentVolumeClaims().Lister().PersistentVolumeClaims(s.set.Namespace).Get(name)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if claim = claim.DeepCopy(); !reown(claim, wanted, s.set.UID, p.UID) {
				continue
			}
			_, err = c.Client.CoreV1().PersistentVolumeClaims(s.set.Namespace).Update(ctx, claim, meta.UpdateOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				failed = errors.Join(failed, fmt.Errorf("owners of claim %s: %w", name, err))
			}
		}
	}
	return failed
}

// leaving are the ordinals without a pod whose claims of a former life must be gone first.
func (c *controller) leaving(s *situation) (map[int]bool, error) {
	out := map[int]bool{}
	for ordinal := start(s.set); ordinal < start(s.set)+replicas(s.set); ordinal++ {
		if s.pods[ordinal] != nil {
			continue
		}
		for i := range s.set.Spec.VolumeClaimTemplates {
			pod := podName(s.set, ordinal)
			claim, err := c.Informers.Core().V1().PersistentVolumeClaims().Lister().PersistentVolumeClaims(s.set.Namespace).Get(claimName(&s.set.Spec.VolumeClaimTemplates[i], pod))
			if err != nil && !apierrors.IsNotFound(err) {
				return nil, err
			}
			if err == nil && leaving(claim, pod) {
				out[ordinal] = true
			}
		}
	}
	return out, nil
}
