// Package routing is a profile of the suite.
package routing

// Declare tells Ginkgo the profile's specs.
func Declare() {}
