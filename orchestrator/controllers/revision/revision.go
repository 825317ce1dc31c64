// Package revision keeps the history of a workload's pod template in ControllerRevisions, for DaemonSets and StatefulSets.
//
// It owns the ControllerRevisions that carry the workload's controller reference. A revision's data is the strategic merge patch that brings the
// workload back to it, which is what kubectl rollout undo applies.
package revision

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
)

// Label names a pod's revision.
const Label = apps.ControllerRevisionHashLabelKey

// Owner is the workload whose history it is.
type Owner struct {
	Object     meta.Object
	Ref        meta.OwnerReference
	Template   *core.PodTemplateSpec
	Collisions *int32
}

// patchOf is the data of a template's revision.
func patchOf(template *core.PodTemplateSpec) ([]byte, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(template)
	if err != nil {
		return nil, err
	}
	fields["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": fields}})
}

// TemplateOf reads a revision back.
func TemplateOf(r *apps.ControllerRevision) (*core.PodTemplateSpec, error) {
	var data struct {
		Spec struct {
			Template core.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(r.Data.Raw, &data); err != nil {
		return nil, fmt.Errorf("revision %s: %w", r.Name, err)
	}
	return &data.Spec.Template, nil
}

// same is true when a revision has that template.
func same(r *apps.ControllerRevision, template *core.PodTemplateSpec) bool {
	t, err := TemplateOf(r)
	return err == nil && equality.Semantic.DeepEqual(t, template)
}

// Sort orders a history from the oldest.
func Sort(history []*apps.ControllerRevision) {
	slices.SortFunc(history, func(a, b *apps.ControllerRevision) int {
		if a.Revision != b.Revision {
			return int(a.Revision - b.Revision)
		}
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
			return n
		}
		return len(a.Name) - len(b.Name)
	})
}

// Current returns the revision of the owner's template, written if there is none, as the newest of the history.
func Current(ctx context.Context, client kubernetes.Interface, o Owner, history []*apps.ControllerRevision) (*apps.ControllerRevision, error) {
	api := client.AppsV1().ControllerRevisions(o.Object.GetNamespace())
	next := int64(1)
	if len(history) > 0 {
		next = history[len(history)-1].Revision + 1
	}
	for i := len(history) - 1; i >= 0; i-- {
		r := history[i]
		if !same(r, o.Template) {
			continue
		}
		if i == len(history)-1 {
			return r, nil
		}
		r = r.DeepCopy()
		r.Revision = next
		return api.Update(ctx, r, meta.UpdateOptions{})
	}
	made, err := build(o, next)
	if err != nil {
		return nil, err
	}
	written, err := api.Create(ctx, made, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		existing, err := api.Get(ctx, made.Name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		if same(existing, o.Template) {
			return existing, loop.ErrStale
		}
		return nil, ErrCollision
	}
	return written, err
}

// ErrCollision: another template has the same hash; the owner counts it in status.collisionCount and tries again.
var ErrCollision = fmt.Errorf("the revision's name belongs to another template: %w", loop.ErrStale)

func build(o Owner, number int64) (*apps.ControllerRevision, error) {
	data, err := patchOf(o.Template)
	if err != nil {
		return nil, err
	}
	h := fnv.New32a()
	_, _ = h.Write(data)
	if o.Collisions != nil {
		_, _ = h.Write([]byte(strconv.Itoa(int(*o.Collisions))))
	}
	hash := rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
	labels := maps.Clone(o.Template.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[Label] = hash
	annotations := maps.Clone(o.Object.GetAnnotations())
	delete(annotations, core.LastAppliedConfigAnnotation)
	return &apps.ControllerRevision{
		ObjectMeta: meta.ObjectMeta{
			Namespace: o.Object.GetNamespace(), Name: o.Object.GetName() + "-" + hash, Labels: labels, Annotations: annotations,
			OwnerReferences: []meta.OwnerReference{o.Ref},
		},
		Data: runtime.RawExtension{Raw: data}, Revision: number,
	}, nil
}

// Truncate deletes the oldest revisions beyond the limit that no pod uses.
func Truncate(ctx context.Context, client kubernetes.Interface, history []*apps.ControllerRevision, limit *int32, used func(*apps.ControllerRevision) bool) error {
	keep := 10
	if limit != nil {
		keep = int(*limit)
	}
	idle := slices.DeleteFunc(slices.Clone(history), used)
	for len(idle) > keep {
		err := client.AppsV1().ControllerRevisions(idle[0].Namespace).Delete(ctx, idle[0].Name, meta.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		idle = idle[1:]
	}
	return nil
}
