package bootstrap

import (
	"encoding/json"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Namespaces that always exist.
func Namespaces() []Object {
	var all []Object
	for _, name := range []string{metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease, metav1.NamespaceDefault} {
		all = append(all, Object{schema.GroupResource{Resource: "namespaces"}, &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}},
			Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
			Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		}})
	}
	return all
}

// PriorityClasses of critical pods.
func PriorityClasses() []Object {
	lower := corev1.PreemptLowerPriority
	class := func(name string, value int32, text string) Object {
		return Object{schema.GroupResource{Group: schedulingv1.GroupName, Resource: "priorityclasses"}, &schedulingv1.PriorityClass{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value, Description: text, PreemptionPolicy: &lower,
		}}
	}
	return []Object{
		class("system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node."),
		class("system-cluster-critical", 2000000000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
	}
}

// Service is the kubernetes Service, its address and the range that addresses come from.
func Service(cidr netip.Prefix, port int32) []Object {
	address := FirstAddress(cidr)
	single, local, family := corev1.IPFamilyPolicySingleStack, corev1.ServiceInternalTrafficPolicyCluster, corev1.IPv4Protocol
	if address.Is6() {
		family = corev1.IPv6Protocol
	}
	networking := func(resource string) schema.GroupResource {
		return schema.GroupResource{Group: networkingv1.GroupName, Resource: resource}
	}
	return []Object{
		{networking("servicecidrs"), &networkingv1.ServiceCIDR{
			ObjectMeta: metav1.ObjectMeta{Name: "kubernetes"},
			Spec:       networkingv1.ServiceCIDRSpec{CIDRs: []string{cidr.Masked().String()}},
		}},
		{networking("ipaddresses"), &networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: address.String(), Labels: map[string]string{
				networkingv1.LabelIPAddressFamily: string(family), networkingv1.LabelManagedBy: "ipallocator.k8s.io",
			}},
			Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "services", Namespace: metav1.NamespaceDefault, Name: "kubernetes"}},
		}},
		{schema.GroupResource{Resource: "services"}, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{
				Name: "kubernetes", Namespace: metav1.NamespaceDefault,
				Labels: map[string]string{"component": "apiserver", "provider": "kubernetes"},
			},
			Spec: corev1.ServiceSpec{
				Ports:     []corev1.ServicePort{{Name: "https", Protocol: corev1.ProtocolTCP, Port: 443, TargetPort: intstr.FromInt32(port)}},
				ClusterIP: address.String(), ClusterIPs: []string{address.String()}, Type: corev1.ServiceTypeClusterIP,
				SessionAffinity: corev1.ServiceAffinityNone, IPFamilies: []corev1.IPFamily{family}, IPFamilyPolicy: &single, InternalTrafficPolicy: &local,
			},
		}},
	}
}

// FirstAddress of the service range is the kubernetes Service's.
func FirstAddress(cidr netip.Prefix) netip.Addr { return cidr.Masked().Addr().Next() }

// FrontProxy is what extension apiservers must know to believe ours: lists may be empty.
type FrontProxy struct {
	ClientCA, CA                                                       string
	AllowedNames, UserHeaders, UIDHeaders, GroupHeaders, ExtraPrefixes []string
}

// ExtensionAuthentication is the ConfigMap that extension apiservers read.
func ExtensionAuthentication(f FrontProxy) (Object, error) {
	data := map[string]string{"client-ca-file": f.ClientCA}
	if f.CA != "" {
		data["requestheader-client-ca-file"] = f.CA
		for key, list := range map[string][]string{
			"requestheader-allowed-names": f.AllowedNames, "requestheader-username-headers": f.UserHeaders, "requestheader-uid-headers": f.UIDHeaders,
			"requestheader-group-headers": f.GroupHeaders, "requestheader-extra-headers-prefix": f.ExtraPrefixes,
		} {
			if list == nil {
				list = []string{}
			}
			text, err := json.Marshal(list)
			if err != nil {
				return Object{}, fmt.Errorf("encode %s: %w", key, err)
			}
			data[key] = string(text)
		}
	}
	return Object{schema.GroupResource{Resource: "configmaps"}, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "extension-apiserver-authentication", Namespace: metav1.NamespaceSystem}, Data: data,
	}}, nil
}
