package apps

import (
	"context"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// Deployment is the catalogue entry of deployments.
func Deployment() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: appsv1.GroupName, Kind: "Deployment", Resource: "deployments", Singular: "deployment",
			ShortNames: []string{"deploy"}, Categories: []string{"all"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &appsv1.Deployment{}, &appsv1.DeploymentList{})},
		Storage:    kind.Stored("deployments", appsv1.SchemeGroupVersion, &appsv1.Deployment{}),
		Columns:    kind.Table("Name;Ready;Up-to-date;Available;Age;Containers*;Images*;Selector*", docs),
		Cells: kind.Cells(func(d *appsv1.Deployment, now time.Time) []any {
			names, images := podspec.Summary(&d.Spec.Template.Spec)
			return []any{d.Name, fmt.Sprintf("%d/%d", d.Status.ReadyReplicas, replicas(d.Spec.Replicas)),
				strconv.Itoa(int(d.Status.UpdatedReplicas)), strconv.Itoa(int(d.Status.AvailableReplicas)), kind.Age(d, now),
				names, images, selectorText(d.Spec.Selector)}
		}),
		Rules: kind.Typed[*appsv1.Deployment]{
			Default:             defaultDeployment,
			PrepareCreate:       func(_ context.Context, d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} },
			PrepareUpdate:       func(_ context.Context, d, old *appsv1.Deployment) { d.Status = old.Status },
			ValidateCreate:      validateDeployment,
			ValidateUpdate:      validateDeploymentUpdate,
			Generation:          deploymentChanged,
			Warnings:            deploymentWarnings,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.StatusKept(func(d, old *appsv1.Deployment) { d.Spec, d.Labels = old.Spec, old.Labels },
				"spec", "metadata.labels"),
			"scale": kind.Scaled(kind.Scale{
				Get: func(parent kind.Object) (int32, int32, string) {
					d := parent.(*appsv1.Deployment)
					return replicas(d.Spec.Replicas), d.Status.Replicas, scaleSelector(d.Spec.Selector)
				},
				Set: func(parent kind.Object, wanted int32) { parent.(*appsv1.Deployment).Spec.Replicas = &wanted },
			}),
		},
	}
}

// deploymentChanged also counts annotations: the controller copies them to its replica sets.
func deploymentChanged(d, old *appsv1.Deployment) bool {
	return !equality.Semantic.DeepEqual(d.Spec, old.Spec) || !equality.Semantic.DeepEqual(d.Annotations, old.Annotations)
}

func defaultDeployment(d *appsv1.Deployment) {
	podspec.DefaultTemplate(&d.Spec.Template)
	set(&d.Spec.Replicas, 1)
	if d.Spec.Strategy.Type == "" {
		d.Spec.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
	}
	if d.Spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType {
		if d.Spec.Strategy.RollingUpdate == nil {
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{}
		}
		set(&d.Spec.Strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
		set(&d.Spec.Strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
	}
	set(&d.Spec.RevisionHistoryLimit, 10)
	set(&d.Spec.ProgressDeadlineSeconds, 600)
}

func set[T any](at **T, value T) {
	if *at == nil {
		*at = &value
	}
}

func replicas(wanted *int32) int32 {
	if wanted == nil {
		return 0
	}
	return *wanted
}

func selectorText(s *metav1.LabelSelector) string {
	if s == nil {
		return "<none>"
	}
	return metav1.FormatLabelSelector(s)
}

// scaleSelector is the string form that clients of scale parse.
func scaleSelector(s *metav1.LabelSelector) string {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return ""
	}
	return selector.String()
}
