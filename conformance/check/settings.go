package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Names of components whose flags set the pace.
const (
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
)

// stated learns the target's pace: upstream's defaults, then what its Leases state, then the flags of its components where they can be seen,
// then the owner's file. What cannot be read changes nothing.
func stated(ctx context.Context, api kubernetes.Interface, flags map[string]map[string]string, file string) ([]record.Layer, error) {
	s := budget.Stock()
	layers := []record.Layer{{Source: "upstream's default", Settings: s}}
	s = fromLeases(ctx, api, s)
	layers = append(layers, record.Layer{Source: "Leases in kube-system", Settings: s})
	s = fromFlags(podFlags(ctx, api), s)
	layers = append(layers, record.Layer{Source: "command lines of pods in kube-system", Settings: s})
	s = fromFlags(flags, s)
	layers = append(layers, record.Layer{Source: "kubeadmConfigPatches of the cluster's shape", Settings: s})
	if file == "" {
		return layers, nil
	}
	s, err := budget.Read(file, s)
	return append(layers, record.Layer{Source: file, Settings: s}), err
}

// fromLeases takes the longer one of two Leases. One that was released states a second, which is nobody's setting.
func fromLeases(ctx context.Context, api kubernetes.Interface, s budget.Settings) budget.Settings {
	longest := time.Duration(0)
	for _, name := range leadership.Leases {
		lease, err := api.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, name, metav1.GetOptions{})
		if err != nil || lease.Spec.LeaseDurationSeconds == nil || *lease.Spec.LeaseDurationSeconds <= 1 {
			continue
		}
		longest = max(longest, time.Duration(*lease.Spec.LeaseDurationSeconds)*time.Second)
	}
	if longest > 0 {
		s.Lease = longest
	}
	return s
}

// podFlags are the flags of components that run as static pods, as kubeadm makes them, by component.
func podFlags(ctx context.Context, api kubernetes.Interface) map[string]map[string]string {
	all := map[string]map[string]string{}
	pods, err := api.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "component in (etcd," + controllerManager + "," + scheduler + ")"})
	if err != nil {
		return nil
	}
	for _, pod := range pods.Items {
		flags := map[string]string{}
		for _, c := range pod.Spec.Containers {
			for _, word := range append(c.Command, c.Args...) {
				if name, value, ok := strings.Cut(word, "="); ok {
					flags[strings.TrimLeft(name, "-")] = value
				}
			}
		}
		all[pod.Labels["component"]] = flags
	}
	return all
}

// fromFlags reads the flags that set the pace; the longer one wins where two components have the same.
func fromFlags(flags map[string]map[string]string, s budget.Settings) budget.Settings {
	read := func(into *time.Duration, flag, unit string, components ...string) {
		longest := time.Duration(0)
		for _, c := range components {
			if d, err := time.ParseDuration(flags[c][flag] + unit); err == nil {
				longest = max(longest, d)
			}
		}
		if longest > 0 {
			*into = longest
		}
	}
	read(&s.NodeGrace, "node-monitor-grace-period", "", controllerManager)
	read(&s.NodePeriod, "node-monitor-period", "", controllerManager)
	read(&s.Lease, "leader-elect-lease-duration", "", controllerManager, scheduler)
	read(&s.LeaseRetry, "leader-elect-retry-period", "", controllerManager, scheduler)
	read(&s.Election, "election-timeout", "ms", "etcd")
	return s
}

// settingsName is the file in the report's folder that passes the settings on to the shards, and to the next run if its owner likes.
const settingsName = "settings.yaml"

func settingsFile(all []record.Setting) string {
	var text strings.Builder
	for _, s := range all {
		fmt.Fprintf(&text, "%s: %s # %s\n", s.Name, s.Value, s.Source)
	}
	return text.String()
}
