// Package discovery is the catalogue of the discovery.k8s.io group: endpoint slices.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package discovery
