// Package coordination is the catalogue of the coordination.k8s.io group: leases.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package coordination
