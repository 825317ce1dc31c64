package usage

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func number(n int) resource.Quantity { return *resource.NewQuantity(int64(n), resource.DecimalSI) }

func ofService(s *corev1.Service) corev1.ResourceList {
	used := corev1.ResourceList{corev1.ResourceServices: one(), corev1.ResourceServicesNodePorts: number(0), corev1.ResourceServicesLoadBalancers: number(0)}
	switch s.Spec.Type {
	case corev1.ServiceTypeNodePort:
		used[corev1.ResourceServicesNodePorts] = number(len(s.Spec.Ports))
	case corev1.ServiceTypeLoadBalancer:
		used[corev1.ResourceServicesNodePorts] = number(balancerPorts(s))
		used[corev1.ResourceServicesLoadBalancers] = one()
	}
	return used
}

// balancerPorts are node ports of a load balancer: all of its ports, or those that name one when none are allocated.
func balancerPorts(s *corev1.Service) int {
	if s.Spec.AllocateLoadBalancerNodePorts == nil || *s.Spec.AllocateLoadBalancerNodePorts {
		return len(s.Spec.Ports)
	}
	n := 0
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			n++
		}
	}
	return n
}

// classInfix stands between the name of a StorageClass and what is bounded of it: gold.storageclass.storage.k8s.io/requests.storage.
const classInfix = ".storageclass.storage.k8s.io/"

// ofClaim counts the claim and its storage, once in all and once for its class.
func ofClaim(c *corev1.PersistentVolumeClaim) corev1.ResourceList {
	used := corev1.ResourceList{corev1.ResourcePersistentVolumeClaims: one()}
	class := classOf(c)
	if class != "" {
		used[corev1.ResourceName(class+classInfix)+corev1.ResourcePersistentVolumeClaims] = one()
	}
	storage, ok := c.Spec.Resources.Requests[corev1.ResourceStorage]
	if !ok {
		return used
	}
	// A volume that is being made larger has been promised the larger of the two sizes.
	if promised, ok := c.Status.AllocatedResources[corev1.ResourceStorage]; ok && promised.Cmp(storage) > 0 {
		storage = promised
	}
	used[corev1.ResourceRequestsStorage] = storage
	if class != "" {
		used[corev1.ResourceName(class+classInfix)+corev1.ResourceRequestsStorage] = storage
	}
	return used
}

func classOf(c *corev1.PersistentVolumeClaim) string {
	if class, ok := c.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	if c.Spec.StorageClassName != nil {
		return *c.Spec.StorageClassName
	}
	return ""
}
