package kubelet

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// taints reads key[=value]:effect, separated by commas.
func taints(text string) ([]corev1.Taint, error) {
	var all []corev1.Taint
	if text == "" {
		return nil, nil
	}
	for _, one := range strings.Split(text, ",") {
		pair, effect, ok := strings.Cut(one, ":")
		key, value, _ := strings.Cut(pair, "=")
		e := corev1.TaintEffect(effect)
		if !ok || key == "" || (e != corev1.TaintEffectNoSchedule && e != corev1.TaintEffectNoExecute && e != corev1.TaintEffectPreferNoSchedule) {
			return nil, fmt.Errorf("--register-with-taints: %q is not key=value:effect", one)
		}
		all = append(all, corev1.Taint{Key: key, Value: value, Effect: e})
	}
	return all, nil
}
