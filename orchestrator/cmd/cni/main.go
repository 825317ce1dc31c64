// Command cni is the CNI plugin of a node. It has no flags: the container runtime speaks to it through the environment, standard input and output.
package main

import (
	"os"

	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/cni"
)

func main() {
	os.Exit(cni.Main(cni.FromEnvironment(), os.Stdin, os.Stdout))
}
