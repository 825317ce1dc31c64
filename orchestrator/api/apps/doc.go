// Package apps is the catalogue's apps group: the workloads that keep pods running. It is fed nothing but objects, and feeds api.All.
// Pure, as all of the catalogue.
package apps
