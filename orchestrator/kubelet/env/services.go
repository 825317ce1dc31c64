package env

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ServiceVariables are those of "Discovering services": the pod's own namespace's when it wants service links, and the apiserver's always.
func ServiceVariables(own, defaults []*corev1.Service, pod *corev1.Pod) map[string]string {
	chosen := map[string]*corev1.Service{}
	for _, s := range defaults {
		if s.Name == "kubernetes" && hasClusterIP(s) {
			chosen[s.Name] = s
		}
	}
	if pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks {
		for _, s := range own {
			if hasClusterIP(s) {
				chosen[s.Name] = s
			}
		}
	}
	values := map[string]string{}
	for _, s := range chosen {
		describe(values, s)
	}
	return values
}

func hasClusterIP(s *corev1.Service) bool {
	return s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone
}

func describe(values map[string]string, s *corev1.Service) {
	if len(s.Spec.Ports) == 0 {
		return
	}
	prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
	first := s.Spec.Ports[0]
	values[prefix+"_SERVICE_HOST"] = s.Spec.ClusterIP
	values[prefix+"_SERVICE_PORT"] = strconv.Itoa(int(first.Port))
	values[prefix+"_PORT"] = url(s, first)
	for _, p := range s.Spec.Ports {
		if p.Name != "" {
			values[prefix+"_SERVICE_PORT_"+strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))] = strconv.Itoa(int(p.Port))
		}
		one := fmt.Sprintf("%s_PORT_%d_%s", prefix, p.Port, protocol(p))
		values[one] = url(s, p)
		values[one+"_PROTO"] = strings.ToLower(protocol(p))
		values[one+"_PORT"] = strconv.Itoa(int(p.Port))
		values[one+"_ADDR"] = s.Spec.ClusterIP
	}
}

func protocol(p corev1.ServicePort) string {
	if p.Protocol == "" {
		return string(corev1.ProtocolTCP)
	}
	return string(p.Protocol)
}

func url(s *corev1.Service, p corev1.ServicePort) string {
	return strings.ToLower(protocol(p)) + "://" + net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(int(p.Port)))
}
