package apps

import (
	"context"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// DaemonSet is the catalogue entry of daemonsets.
func DaemonSet() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: appsv1.GroupName, Kind: "DaemonSet", Resource: "daemonsets", Singular: "daemonset",
			ShortNames: []string{"ds"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &appsv1.DaemonSet{}, &appsv1.DaemonSetList{})},
		Storage:    kind.Stored("daemonsets", appsv1.SchemeGroupVersion, &appsv1.DaemonSet{}),
		Columns: kind.Table("Name;Desired:integer;Current:integer;Ready:integer;Up-to-date:integer;Available:integer;Node Selector;Age;"+
			"Containers*;Images*;Selector*", docs),
		Cells: kind.Cells(func(d *appsv1.DaemonSet, now time.Time) []any {
			names, images := podspec.Summary(&d.Spec.Template.Spec)
			s := &d.Status
			return []any{d.Name, int64(s.DesiredNumberScheduled), int64(s.CurrentNumberScheduled), int64(s.NumberReady),
				int64(s.UpdatedNumberScheduled), int64(s.NumberAvailable),
				metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: d.Spec.Template.Spec.NodeSelector}), kind.Age(d, now),
				names, images, selectorText(d.Spec.Selector)}
		}),
		Rules: kind.Typed[*appsv1.DaemonSet]{
			Default: defaultDaemonSet,
			PrepareCreate: func(_ context.Context, d *appsv1.DaemonSet) {
				d.Status = appsv1.DaemonSetStatus{}
				setTemplateGeneration(d, max(templateGeneration(d), 1))
			},
			PrepareUpdate: func(_ context.Context, d, old *appsv1.DaemonSet) {
				d.Status = old.Status
				countTemplate(d, old)
			},
			ValidateCreate:      validateDaemonSet,
			ValidateUpdate:      validateDaemonSetUpdate,
			Generation:          func(d, old *appsv1.DaemonSet) bool { return !equality.Semantic.DeepEqual(d.Spec, old.Spec) },
			Warnings:            kind.WarnOnChange(func(o *appsv1.DaemonSet) []string { return templateWarnings(&o.Spec.Template) }),
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(d, old *appsv1.DaemonSet) { d.Spec = old.Spec }),
		},
	}
}

func defaultDaemonSet(d *appsv1.DaemonSet) {
	podspec.DefaultTemplate(&d.Spec.Template)
	strategy := &d.Spec.UpdateStrategy
	if strategy.Type == "" {
		strategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
	}
	if strategy.Type == appsv1.RollingUpdateDaemonSetStrategyType {
		if strategy.RollingUpdate == nil {
			strategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{}
		}
		set(&strategy.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
		set(&strategy.RollingUpdate.MaxSurge, intstr.FromInt32(0))
	}
	set(&d.Spec.RevisionHistoryLimit, 10)
}

// templateGeneration is a field of the API's first versions that v1 keeps as an annotation: it counts changes of the template.
func templateGeneration(d *appsv1.DaemonSet) int64 {
	n, err := strconv.ParseInt(d.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func setTemplateGeneration(d *appsv1.DaemonSet, n int64) {
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, appsv1.DeprecatedTemplateGeneration, strconv.FormatInt(n, 10))
}

// countTemplate carries the count over, whatever the client wrote, and adds one for a new template.
func countTemplate(d, old *appsv1.DaemonSet) {
	n := templateGeneration(old)
	if !equality.Semantic.DeepEqual(d.Spec.Template, old.Spec.Template) {
		n++
	}
	setTemplateGeneration(d, n)
}
