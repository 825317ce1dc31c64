package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// tolerationSeconds lets pods stay five minutes on a node that is not ready or unreachable, unless they say otherwise.
type tolerationSeconds struct{ onlyAdmits }

const defaultTolerationSeconds = 300

func (tolerationSeconds) Name() string { return "DefaultTolerationSeconds" }

func (tolerationSeconds) Handles(op Operation) bool { return op == Create || op == Update }

func (tolerationSeconds) Admit(_ context.Context, a *Attributes) error {
	pod, ok := a.Object.(*corev1.Pod)
	if !ok || !a.isCore("pods", "") {
		return nil
	}
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		if tolerates(pod.Spec.Tolerations, key) {
			continue
		}
		seconds := int64(defaultTolerationSeconds)
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
		})
	}
	return nil
}

// tolerates: any toleration of the key, whatever its value, leaves the decision with the pod.
func tolerates(list []corev1.Toleration, key string) bool {
	for _, t := range list {
		if (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}

// taintNodes marks every new node as not ready, so that no pod lands there before its network is up.
type taintNodes struct{ onlyAdmits }

func (taintNodes) Name() string { return "TaintNodesByCondition" }

func (taintNodes) Handles(op Operation) bool { return op == Create }

func (taintNodes) Admit(_ context.Context, a *Attributes) error {
	node, ok := a.Object.(*corev1.Node)
	if !ok || !a.isCore("nodes", "") {
		return nil
	}
	for _, t := range node.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady && t.Effect == corev1.TaintEffectNoSchedule {
			return nil
		}
	}
	node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule})
	return nil
}
