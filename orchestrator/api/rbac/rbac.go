package rbac

import (
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validation/path"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Role is the catalogue entry of roles.
func Role() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Group: rbacv1.GroupName, Kind: "Role", Resource: "roles", Singular: "role"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &rbacv1.Role{}, &rbacv1.RoleList{})},
		Storage:    kind.Stored("roles", rbacv1.SchemeGroupVersion, &rbacv1.Role{}),
		Columns:    kind.Table("Name;Created At:date", nil),
		Cells: kind.Cells(func(r *rbacv1.Role, _ time.Time) []any {
			return []any{r.Name, r.CreationTimestamp.UTC().Format(time.RFC3339)}
		}),
		Rules: kind.Typed[*rbacv1.Role]{
			ValidateCreate: validateRole, ValidateUpdate: validateRoleUpdate, ValidName: name,
			CreateOnUpdate: true, UnconditionalUpdate: true,
		}.Rules(),
	}
}

// ClusterRole is the catalogue entry of clusterroles.
func ClusterRole() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: rbacv1.GroupName, Kind: "ClusterRole", Resource: "clusterroles", Singular: "clusterrole"},
		Versions: []kind.Version{kind.Served("v1", &rbacv1.ClusterRole{}, &rbacv1.ClusterRoleList{})},
		Storage:  kind.Stored("clusterroles", rbacv1.SchemeGroupVersion, &rbacv1.ClusterRole{}),
		Columns:  kind.Table("Name;Created At:date", nil),
		Cells: kind.Cells(func(r *rbacv1.ClusterRole, _ time.Time) []any {
			return []any{r.Name, r.CreationTimestamp.UTC().Format(time.RFC3339)}
		}),
		Rules: kind.Typed[*rbacv1.ClusterRole]{
			ValidateCreate: validateClusterRole, ValidateUpdate: validateClusterRoleUpdate, ValidName: name,
			CreateOnUpdate: true, UnconditionalUpdate: true,
		}.Rules(),
	}
}

// RoleBinding is the catalogue entry of rolebindings.
func RoleBinding() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Group: rbacv1.GroupName, Kind: "RoleBinding", Resource: "rolebindings", Singular: "rolebinding"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &rbacv1.RoleBinding{}, &rbacv1.RoleBindingList{})},
		Storage:    kind.Stored("rolebindings", rbacv1.SchemeGroupVersion, &rbacv1.RoleBinding{}),
		Columns:    kind.Table("Name;Role;Age;Users*;Groups*;ServiceAccounts*", bindingDocs),
		Cells: kind.Cells(func(b *rbacv1.RoleBinding, now time.Time) []any {
			return append([]any{b.Name, b.RoleRef.Kind + "/" + b.RoleRef.Name, kind.Age(b, now)}, subjectCells(b.Subjects)...)
		}),
		Rules: kind.Typed[*rbacv1.RoleBinding]{
			Default:        func(b *rbacv1.RoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) },
			ValidateCreate: validateRoleBinding, ValidateUpdate: validateRoleBindingUpdate, ValidName: name,
			CreateOnUpdate: true, UnconditionalUpdate: true,
		}.Rules(),
	}
}

// ClusterRoleBinding is the catalogue entry of clusterrolebindings.
func ClusterRoleBinding() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: rbacv1.GroupName, Kind: "ClusterRoleBinding", Resource: "clusterrolebindings",
			Singular: "clusterrolebinding"},
		Versions: []kind.Version{kind.Served("v1", &rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRoleBindingList{})},
		Storage:  kind.Stored("clusterrolebindings", rbacv1.SchemeGroupVersion, &rbacv1.ClusterRoleBinding{}),
		Columns:  kind.Table("Name;Role;Age;Users*;Groups*;ServiceAccounts*", bindingDocs),
		Cells: kind.Cells(func(b *rbacv1.ClusterRoleBinding, now time.Time) []any {
			return append([]any{b.Name, b.RoleRef.Kind + "/" + b.RoleRef.Name, kind.Age(b, now)}, subjectCells(b.Subjects)...)
		}),
		Rules: kind.Typed[*rbacv1.ClusterRoleBinding]{
			Default:        func(b *rbacv1.ClusterRoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) },
			ValidateCreate: validateClusterBinding, ValidateUpdate: validateClusterBindingUpdate, ValidName: name,
			CreateOnUpdate: true, UnconditionalUpdate: true,
		}.Rules(),
	}
}

var bindingDocs = map[string]string{
	"Role":            rbacv1.RoleBinding{}.SwaggerDoc()["roleRef"],
	"Users":           "Users in the binding",
	"Groups":          "Groups in the binding",
	"ServiceAccounts": "ServiceAccounts in the binding",
}

// name: RBAC names may hold colons; they only must fit into one path segment.
func name(n string, prefix bool) []string {
	if prefix {
		return path.IsValidPathSegmentPrefix(n)
	}
	return path.IsValidPathSegmentName(n)
}

func defaultBinding(ref *rbacv1.RoleRef, subjects []rbacv1.Subject) {
	if ref.APIGroup == "" {
		ref.APIGroup = rbacv1.GroupName
	}
	for i := range subjects {
		s := &subjects[i]
		if s.APIGroup == "" && (s.Kind == rbacv1.UserKind || s.Kind == rbacv1.GroupKind) {
			s.APIGroup = rbacv1.GroupName
		}
	}
}

func subjectCells(subjects []rbacv1.Subject) []any {
	var users, groups, accounts []string
	for _, s := range subjects {
		switch s.Kind {
		case rbacv1.UserKind:
			users = append(users, s.Name)
		case rbacv1.GroupKind:
			groups = append(groups, s.Name)
		case rbacv1.ServiceAccountKind:
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		}
	}
	return []any{joined(users), joined(groups), joined(accounts)}
}

func joined(names []string) string { return strings.Join(names, ", ") }
