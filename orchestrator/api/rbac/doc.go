// Package rbac is the catalogue of the rbac.authorization.k8s.io group: roles and their bindings.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package rbac
