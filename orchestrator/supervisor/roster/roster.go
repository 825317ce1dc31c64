// Package roster lists what runs on a node: each process with its executable, arguments, configuration files and readiness probe.
//
// It is pure: it is fed the cluster description and a few facts of the machine, and what it returns is carried out by the supervisor.
// To swap a component means to change its entry's executable.
package roster

import (
	"maps"
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// Where things are on a node.
const (
	pkiDir      = "/etc/plumb/pki/"
	control     = "/usr/local/bin/control"
	node        = "/usr/local/bin/node"
	Containerd  = "/run/containerd/containerd.sock"
	overrideDir = "/opt/plumb/override/"
)

// Facts of the machine that shape the roster.
type Facts struct {
	// MayRaisePriority: the kernel lets containers have a lower oom_score_adj than this process.
	MayRaisePriority bool
	// Overridden tells whether an executable was put in place of a component.
	Overridden func(path string) bool
}

// Entry is one process.
type Entry struct {
	Name       string
	Executable string
	Args       []string
	// Files are written before the process starts, by path.
	Files map[string][]byte
	Ready Probe
	// After names an entry that must be ready first; most need none: they retry.
	After string
	// Runtime entries outlive the others at shutdown.
	Runtime bool
}

// Probe says how readiness shows.
type Probe struct {
	// URL answers 2xx when ready. Socket accepts a connection. None of them: ready when started.
	URL, Socket string
	// CA, Cert and Key are files for an https URL. Without a CA the server is not verified: it shows a certificate of its own making, on loopback.
	CA, Cert, Key string
}

// Of is the roster of the node that reads the description.
func Of(c *description.Cluster, f Facts) ([]Entry, error) {
	me, _ := c.Me()
	entries := []Entry{containerd(c, f), balancer(c)}
	if me.Role == description.ControlPlane {
		entries = append(entries, etcd(c, me), apiserver(c, me), controllerManager(c), scheduler())
	}
	kubelet, err := kubelet(c, me)
	if err != nil {
		return nil, err
	}
	proxy, err := proxy(c, me)
	if err != nil {
		return nil, err
	}
	entries = append(entries, kubelet, proxy, podNetwork(me))
	for i := range entries {
		e := &entries[i]
		e.Args = append(e.Args, flags(c.ExtraArgs[e.Name])...)
		if path := overrideDir + e.Name; !e.Runtime && f.Overridden(path) {
			e.Executable = path
		}
	}
	return entries, nil
}

// flags writes a map of flags in a fixed order; the ones given last win, so a description's extra arguments go to the end.
func flags(args map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		list = append(list, "--"+name+"="+args[name])
	}
	return list
}
