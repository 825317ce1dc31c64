// Package ha is a profile of the suite.
package ha

// Declare tells Ginkgo the profile's specs.
func Declare() {}
