// Package workloads is a profile of the suite.
package workloads

// Declare tells Ginkgo the profile's specs.
func Declare() {}
