package bootstrap

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

func TestRolesResolve(t *testing.T) {
	all, err := Roles()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, o := range all {
		known[o.Resource.Resource+"/"+o.Object.GetNamespace()+"/"+o.Object.GetName()] = true
	}
	for _, o := range all {
		switch b := o.Object.(type) {
		case *rbacv1.ClusterRoleBinding:
			if !known["clusterroles//"+b.RoleRef.Name] {
				t.Errorf("ClusterRoleBinding %s refers to the unknown role %s", b.Name, b.RoleRef.Name)
			}
		case *rbacv1.RoleBinding:
			if b.RoleRef.Kind == "Role" && !known["roles/"+b.Namespace+"/"+b.RoleRef.Name] {
				t.Errorf("RoleBinding %s refers to the unknown role %s", b.Name, b.RoleRef.Name)
			}
		}
	}
}
