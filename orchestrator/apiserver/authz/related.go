package authz

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// relation tells whether a node has to do with the named object: mostly because one of its pods needs it.
type relation func(ctx context.Context, node, namespace, name string) (bool, error)

var (
	pods    = schema.GroupResource{Resource: "pods"}
	claims  = schema.GroupResource{Resource: "persistentvolumeclaims"}
	volumes = schema.GroupResource{Resource: "persistentvolumes"}
)

// related allows what is about an object that the node has to do with.
func (n *Node) related(ctx context.Context, node string, a *Attributes, is relation) (Decision, string, error) {
	if a.Name == "" {
		return NoOpinion, "No Object name found", nil
	}
	ok, err := is(ctx, node, a.Namespace, a.Name)
	if err != nil || !ok {
		return NoOpinion, fmt.Sprintf("no relationship found between node '%s' and this object", node), err
	}
	return Allow, "", nil
}

// reads allows to get, list and watch one named object at a time.
func (n *Node) reads(is relation) judge {
	return func(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
		switch {
		case !verbIn("get list watch", a.Verb):
			return NoOpinion, "can only read resources of this type", nil
		case a.Subresource != "":
			return NoOpinion, "cannot read subresource", nil
		case a.Namespace == "":
			return NoOpinion, "can only read namespaced object of this type", nil
		}
		return n.related(ctx, node, a, is)
	}
}

// gets allows to get one object.
func (n *Node) gets(is relation) judge {
	return func(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
		switch {
		case a.Verb != "get":
			return NoOpinion, "can only get individual resources of this type", nil
		case a.Subresource != "":
			return NoOpinion, "cannot get subresource", nil
		}
		return n.related(ctx, node, a, is)
	}
}

// claim: PVCs that a pod mounts may be read, and their status changed (expansion).
func (n *Node) claim(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	if a.Subresource != "status" {
		return n.gets(n.usesClaim)(ctx, node, a)
	}
	if !verbIn("update patch", a.Verb) {
		return NoOpinion, "can only get/update/patch this type", nil
	}
	return n.related(ctx, node, a, n.usesClaim)
}

func (n *Node) serviceAccount(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case a.Verb == "get" && a.Subresource == "":
		return n.reads(n.usesServiceAccount)(ctx, node, a)
	case a.Verb != "create" || a.Name == "":
		return NoOpinion, "can only create tokens for individual service accounts", nil
	case a.Subresource != "token":
		return NoOpinion, "can only create token subresource of serviceaccount", nil
	}
	return n.related(ctx, node, a, n.usesServiceAccount)
}

// anyPod looks for a pod of the node. Mirror pods refer to nothing: a kubelet could make them to reach for any secret.
func (n *Node) anyPod(ctx context.Context, node string, match func(*corev1.Pod) bool) (bool, error) {
	list, err := n.reader.OnNode(ctx, pods, node)
	if err != nil {
		return false, err
	}
	for _, obj := range list {
		pod, ok := obj.(*corev1.Pod)
		if !ok {
			continue
		}
		if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; !mirror && match(pod) {
			return true, nil
		}
	}
	return false, nil
}

func (n *Node) anyPodIn(ctx context.Context, node, namespace string, match func(*corev1.Pod) bool) (bool, error) {
	return n.anyPod(ctx, node, func(p *corev1.Pod) bool { return p.Namespace == namespace && match(p) })
}

func (n *Node) usesConfigMap(ctx context.Context, node, namespace, name string) (bool, error) {
	return n.anyPodIn(ctx, node, namespace, func(p *corev1.Pod) bool { return usesConfigMap(p, name) })
}

func (n *Node) usesClaim(ctx context.Context, node, namespace, name string) (bool, error) {
	return n.anyPodIn(ctx, node, namespace, func(p *corev1.Pod) bool { return podClaimsVolume(p, name) })
}

func (n *Node) usesResourceClaim(ctx context.Context, node, namespace, name string) (bool, error) {
	return n.anyPodIn(ctx, node, namespace, func(p *corev1.Pod) bool { return podClaims(p, name) })
}

func (n *Node) usesServiceAccount(ctx context.Context, node, namespace, name string) (bool, error) {
	return n.anyPodIn(ctx, node, namespace, func(p *corev1.Pod) bool { return p.Spec.ServiceAccountName == name })
}

// isPodOf counts mirror pods, too: they are the node's own.
func (n *Node) isPodOf(ctx context.Context, node, namespace, name string) (bool, error) {
	obj, err := n.reader.Get(ctx, pods, namespace, name)
	pod, ok := obj.(*corev1.Pod)
	return err == nil && ok && pod.Spec.NodeName == node, nil
}

// usesVolume: a PersistentVolume is needed by the pods that mount the claim it is bound to.
func (n *Node) usesVolume(ctx context.Context, node, _, name string) (bool, error) {
	obj, err := n.reader.Get(ctx, volumes, "", name)
	pv, ok := obj.(*corev1.PersistentVolume)
	if err != nil || !ok || pv.Spec.ClaimRef == nil {
		return false, nil
	}
	return n.usesClaim(ctx, node, pv.Spec.ClaimRef.Namespace, pv.Spec.ClaimRef.Name)
}

// usesSecret: by a pod itself, or by a volume that a pod mounts, whose secrets may be in another namespace.
func (n *Node) usesSecret(ctx context.Context, node, namespace, name string) (bool, error) {
	return n.anyPod(ctx, node, func(p *corev1.Pod) bool {
		if p.Namespace == namespace && usesSecret(p, name) {
			return true
		}
		for i := range p.Spec.Volumes {
			if pv := n.volumeBehind(ctx, p, &p.Spec.Volumes[i]); pv != nil && volumeUsesSecret(pv, namespace, name) {
				return true
			}
		}
		return false
	})
}

// volumeBehind is the PersistentVolume bound to the claim that a pod's volume names; nil when there is none.
func (n *Node) volumeBehind(ctx context.Context, p *corev1.Pod, v *corev1.Volume) *corev1.PersistentVolume {
	name := ClaimName(p, v)
	if name == "" {
		return nil
	}
	obj, err := n.reader.Get(ctx, claims, p.Namespace, name)
	claim, ok := obj.(*corev1.PersistentVolumeClaim)
	if err != nil || !ok || claim.Spec.VolumeName == "" {
		return nil
	}
	obj, err = n.reader.Get(ctx, volumes, "", claim.Spec.VolumeName)
	pv, ok := obj.(*corev1.PersistentVolume)
	if err != nil || !ok || pv.Spec.ClaimRef == nil || pv.Spec.ClaimRef.Namespace != p.Namespace || pv.Spec.ClaimRef.Name != name {
		return nil
	}
	return pv
}

func (n *Node) isAttachedBy(ctx context.Context, node, _, name string) (bool, error) {
	obj, err := n.reader.Get(ctx, schema.GroupResource{Group: storagev1.GroupName, Resource: "volumeattachments"}, "", name)
	va, ok := obj.(*storagev1.VolumeAttachment)
	return err == nil && ok && va.Spec.NodeName == node, nil
}

// isSliceOf: the slice names the node. Its kind may not be served, then there is none.
func (n *Node) isSliceOf(ctx context.Context, node, _, name string) (bool, error) {
	list, err := n.reader.OnNode(ctx, schema.GroupResource{Group: "resource.k8s.io", Resource: "resourceslices"}, node)
	if err != nil {
		return false, nil
	}
	for _, obj := range list {
		if obj.GetName() == name {
			return true, nil
		}
	}
	return false, nil
}
