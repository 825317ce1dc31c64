// Package scheduling is the catalogue of the scheduling.k8s.io group: priority classes.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package scheduling
