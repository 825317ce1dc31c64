// Package endpoints writes, for each Service with a selector, the legacy Endpoints object: the addresses of its pods, by port.
//
// It owns Endpoints named like such a Service, and takes the Endpoints of any Service away with it. Package endpointslice says the same in the form
// that proxies read, and shares this package's reading of ports.
package endpoints

import (
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
)

// Port finds the number behind a Service port in a pod; false when the pod has no port of that name.
func Port(p *core.Pod, sp *core.ServicePort) (int32, bool) {
	if sp.TargetPort.Type == intstr.Int {
		return sp.TargetPort.IntVal, true
	}
	for _, containers := range [][]core.Container{p.Spec.Containers, sidecars(p)} {
		for i := range containers {
			for _, port := range containers[i].Ports {
				if port.Name == sp.TargetPort.StrVal && port.Protocol == sp.Protocol {
					return port.ContainerPort, true
				}
			}
		}
	}
	return 0, false
}

func sidecars(p *core.Pod) (out []core.Container) {
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
			out = append(out, c)
		}
	}
	return out
}

// Listed is true for a pod that can be an endpoint: it has an address and has not ended.
func Listed(p *core.Pod, terminatingToo bool) bool {
	return p.Status.PodIP != "" && !pods.Ended(p) && (terminatingToo || p.DeletionTimestamp == nil)
}

// Tolerant is true for a Service that lists its pods whether or not they are ready.
func Tolerant(s *core.Service) bool {
	return s.Spec.PublishNotReadyAddresses
}

// Headless is true for a Service without an address of its own.
func Headless(s *core.Service) bool { return s.Spec.ClusterIP == core.ClusterIPNone }

// electionRecord marks Endpoints that serve, or once served, as a lock.
const electionRecord = "control-plane.alpha.kubernetes.io/leader"

// Lock is true for Endpoints that candidates elect their leader by: they never had a Service.
func Lock(e *core.Endpoints) bool {
	_, record := e.Annotations[electionRecord]
	return record
}
