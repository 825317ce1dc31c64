package bootstrap

import (
	"embed"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

//go:embed roles/*.yaml
var roleFiles embed.FS

// role is a Role or ClusterRole as it stands in the files.
type role struct {
	Name       string              `json:"name"`
	Namespace  string              `json:"namespace"`
	Labels     map[string]string   `json:"labels"`
	Aggregates []map[string]string `json:"aggregates"`
	Rules      []rule              `json:"rules"`
}

type rule struct {
	Groups    []string `json:"groups"`
	Resources []string `json:"resources"`
	Names     []string `json:"names"`
	URLs      []string `json:"urls"`
	Verbs     []string `json:"verbs"`
}

// binding is a RoleBinding or ClusterRoleBinding as it stands in the files.
type binding struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
	Role      string            `json:"role"`
	Kind      string            `json:"kind"`
	Subjects  []subject         `json:"subjects"`
}

type subject struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// Roles returns every role and binding of a new cluster.
func Roles() ([]Object, error) {
	var all []Object
	for _, file := range []string{"clusterroles-users", "clusterroles-controllers", "clusterroles-system", "roles"} {
		list, err := read[role](file)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			all = append(all, r.object())
		}
	}
	for _, file := range []string{"clusterrolebindings", "rolebindings"} {
		list, err := read[binding](file)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			all = append(all, b.object())
		}
	}
	return all, nil
}

func read[T any](file string) ([]T, error) {
	text, err := roleFiles.ReadFile("roles/" + file + ".yaml")
	if err != nil {
		return nil, err
	}
	var list []T
	if err := yaml.UnmarshalStrict(text, &list); err != nil {
		return nil, fmt.Errorf("read roles/%s.yaml: %w", file, err)
	}
	return list, nil
}

func meta(name, namespace string, labels map[string]string) metav1.ObjectMeta {
	all := map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"}
	for k, v := range labels {
		all[k] = v
	}
	return metav1.ObjectMeta{
		Name: name, Namespace: namespace, Labels: all,
		Annotations: map[string]string{rbacv1.AutoUpdateAnnotationKey: "true"},
	}
}

func rbacResource(resource string) schema.GroupResource {
	return schema.GroupResource{Group: rbacv1.GroupName, Resource: resource}
}

func (r role) object() Object {
	var rules []rbacv1.PolicyRule
	for _, x := range r.Rules {
		rules = append(rules, rbacv1.PolicyRule{Verbs: x.Verbs, APIGroups: x.Groups, Resources: x.Resources, ResourceNames: x.Names, NonResourceURLs: x.URLs})
	}
	m := meta(r.Name, r.Namespace, r.Labels)
	if r.Namespace != "" {
		return Object{rbacResource("roles"), &rbacv1.Role{ObjectMeta: m, Rules: rules}}
	}
	cr := &rbacv1.ClusterRole{ObjectMeta: m, Rules: rules}
	if len(r.Aggregates) > 0 {
		cr.AggregationRule = &rbacv1.AggregationRule{}
		for _, match := range r.Aggregates {
			cr.AggregationRule.ClusterRoleSelectors = append(cr.AggregationRule.ClusterRoleSelectors, metav1.LabelSelector{MatchLabels: match})
		}
	}
	return Object{rbacResource("clusterroles"), cr}
}

func (b binding) object() Object {
	var subjects []rbacv1.Subject
	for _, s := range b.Subjects {
		group := rbacv1.GroupName
		if s.Kind == rbacv1.ServiceAccountKind {
			group = ""
		}
		subjects = append(subjects, rbacv1.Subject{Kind: s.Kind, APIGroup: group, Name: s.Name, Namespace: s.Namespace})
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: b.Kind, Name: b.Role}
	m := meta(b.Name, b.Namespace, b.Labels)
	if b.Namespace != "" {
		return Object{rbacResource("rolebindings"), &rbacv1.RoleBinding{ObjectMeta: m, Subjects: subjects, RoleRef: ref}}
	}
	return Object{rbacResource("clusterrolebindings"), &rbacv1.ClusterRoleBinding{ObjectMeta: m, Subjects: subjects, RoleRef: ref}}
}
