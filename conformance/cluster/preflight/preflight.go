// Package preflight tells, before anything starts, what this machine lacks to run a cluster in containers: a line each, with the fix.
//
// Look gathers facts of the machine and the engine; Missing is pure and judges them. It is fed by the containers provider and feeds its callers.
package preflight

import (
	"fmt"
	"strconv"
	"strings"
)

// What a cluster needs.
const (
	// minAPI is the API version of Docker Engine 20.10.
	minAPI = "1.41"
	// Of inotify, by node: containerd, the kubelet and the components each watch files. Watches count files.
	instancesPerNode = 20
	watchesPerNode   = 1000
	// Disk for what the engine keeps of a cluster: images once, and each node's volumes.
	diskBase, diskPerNode = 1 << 30, 256 << 20
	// Memory, measured on idle nodes and rounded up.
	memoryPerControlPlane, memoryPerWorker = 400 << 20, 200 << 20
)

// Facts of a machine. What could not be learnt is zero, or nil, and is not held against it.
type Facts struct {
	// Local: the engine runs on this machine, so that this machine's kernel is the nodes'.
	Local      bool
	APIVersion string
	// NFTables is nil when nothing could be learnt.
	NFTables *bool
	// Instances and Watches are the limits of inotify for one user.
	Instances, Watches int
	// DiskFree in DiskPath and MemoryFree are bytes.
	DiskPath             string
	DiskFree, MemoryFree uint64
}

// Shape of the cluster that is to be booted.
type Shape struct{ ControlPlanes, Workers int }

func (s Shape) nodes() int { return s.ControlPlanes + s.Workers }

// Missing returns a line for everything that stands in the way.
func Missing(f Facts, s Shape) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if f.APIVersion != "" && older(f.APIVersion, minAPI) {
		say("the Docker Engine speaks API %s, and %s is needed: install Docker Engine 20.10 or newer", f.APIVersion, minAPI)
	}
	if !f.Local {
		return lines
	}
	if f.NFTables != nil && !*f.NFTables {
		say("the kernel has no nf_tables, by which nodes route to Services: sudo modprobe nf_tables")
	}
	if want := instancesPerNode * s.nodes(); f.Instances != 0 && f.Instances < want {
		say("%d inotify instances are allowed, and %d nodes need %d: sudo sysctl fs.inotify.max_user_instances=%d", f.Instances, s.nodes(), want, want)
	}
	if want := watchesPerNode * s.nodes(); f.Watches != 0 && f.Watches < want {
		say("%d inotify watches are allowed, and %d nodes need %d: sudo sysctl fs.inotify.max_user_watches=%d", f.Watches, s.nodes(), want, want)
	}
	if want := uint64(diskBase + diskPerNode*s.nodes()); f.DiskFree != 0 && f.DiskFree < want {
		say("%s has %d MB free, and the cluster needs %d MB: docker system prune frees what the engine no longer uses", f.DiskPath, f.DiskFree>>20, want>>20)
	}
	if want := uint64(memoryPerControlPlane*s.ControlPlanes + memoryPerWorker*s.Workers); f.MemoryFree != 0 && f.MemoryFree < want {
		say("%d MB of memory are free, and the cluster needs %d MB: end other programs, or boot fewer nodes (--config)", f.MemoryFree>>20, want>>20)
	}
	return lines
}

// older compares dotted versions of two numbers.
func older(have, want string) bool {
	a, b := numbers(have), numbers(want)
	return a[0] < b[0] || a[0] == b[0] && a[1] < b[1]
}

func numbers(version string) (n [2]int) {
	for i, part := range strings.SplitN(version, ".", 3) {
		if i < len(n) {
			n[i], _ = strconv.Atoi(part) // what is no number counts as 0, which is old
		}
	}
	return n
}
