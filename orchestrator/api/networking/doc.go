// Package networking is the catalogue of the networking.k8s.io group: addresses, ingresses and policies.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package networking
