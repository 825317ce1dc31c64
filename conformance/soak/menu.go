package soak

import (
	"math/rand/v2"
	"slices"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
)

// choice is one fault and whom it concerns.
type choice struct {
	fault.Fault
	// node is broken; component is empty when all of it is.
	node      cluster.Node
	component string
}

// forgets tells whether the apiserver of the broken node may have begun its memory of the past anew: it was ended with the node, or by itself,
// or lost the store behind it.
func (c choice) forgets() bool {
	return c.node.Role == cluster.ControlPlane && (c.component == "" || c.component == "kube-apiserver" || c.component == "etcd")
}

// dish makes one kind of fault.
type dish struct {
	name string
	make func(c cluster.Cluster, node cluster.Node, rng *rand.Rand) choice
	// roles that it is made for; nil is all.
	role string
}

// menu is every kind of fault, those of whole nodes as often as those of components.
func menu() []dish {
	whole := func(name, role string, make func(cluster.Cluster, cluster.Node) fault.Fault) dish {
		return dish{name, func(c cluster.Cluster, n cluster.Node, _ *rand.Rand) choice {
			return choice{Fault: make(c, n), node: n}
		}, role}
	}
	all := []dish{
		whole("kill node", "", func(c cluster.Cluster, n cluster.Node) fault.Fault {
			return fault.KillNode(c.Control(), n.Name, n.Kubelet())
		}),
		whole("stop node", "", func(c cluster.Cluster, n cluster.Node) fault.Fault {
			return fault.StopNode(c.Control(), n.Name, n.Kubelet())
		}),
		whole("restart node", "", func(c cluster.Cluster, n cluster.Node) fault.Fault {
			return fault.RestartNode(c.Control(), n.Name, n.Kubelet())
		}),
		whole("pause node", "", func(c cluster.Cluster, n cluster.Node) fault.Fault {
			return fault.PauseNode(c.Control(), n.Name, n.Kubelet())
		}),
		whole("isolate node", "", func(c cluster.Cluster, n cluster.Node) fault.Fault {
			return fault.Isolate(c, n.Name, fault.Others(c, n.Name)...)
		}),
		{"one-way partition", oneWay, cluster.ControlPlane},
		{"fill disk", full, cluster.ControlPlane},
	}
	for _, component := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		all = append(all, ended(component, cluster.ControlPlane))
	}
	for _, component := range []string{"kubelet", "kube-proxy", "containerd"} {
		all = append(all, ended(component, ""))
	}
	return all
}

// ended kills, stops or pauses a component.
func ended(component, role string) dish {
	return dish{component, func(c cluster.Cluster, n cluster.Node, rng *rand.Rand) choice {
		made := choice{node: n, component: component}
		switch rng.IntN(3) {
		case 0:
			made.Fault = fault.KillComponent(c.Control(), n.Name, component)
		case 1:
			made.Fault = fault.StopComponent(c.Control(), n.Name, component)
		default:
			made.Fault = fault.PauseComponent(c.Control(), n.Name, component, "")
		}
		return made
	}, role}
}

// full leaves etcd no room for its data.
func full(c cluster.Cluster, n cluster.Node, _ *rand.Rand) choice {
	return choice{Fault: fault.FillDisk(c.Control(), n.Name, "etcd"), node: n, component: "etcd"}
}

// oneWay cuts what comes to a control plane from the others, or what goes from it to them.
func oneWay(c cluster.Cluster, n cluster.Node, rng *rand.Rand) choice {
	in := rng.IntN(2) == 0
	var edges []cluster.Edge
	for _, other := range c.Nodes() {
		if other.Role == cluster.ControlPlane && other.Name != n.Name {
			edges = append(edges, cluster.Edge{Other: other.Name, In: in, Out: !in})
		}
	}
	return choice{Fault: fault.Partition(c, n.Name, edges...), node: n}
}

// choose picks a fault: first its kind, then the node.
func choose(c cluster.Cluster, rng *rand.Rand) choice {
	dishes := menu()
	for {
		d := dishes[rng.IntN(len(dishes))]
		fits := slices.DeleteFunc(slices.Clone(c.Nodes()), func(n cluster.Node) bool { return d.role != "" && n.Role != d.role })
		if len(fits) > 0 {
			return d.make(c, fits[rng.IntN(len(fits))], rng)
		}
	}
}
