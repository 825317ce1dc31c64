// Package check runs the suite on a target and judges it: the body of the plumb check command.
//
// The parent process picks the requirements, starts shards of itself (each one serial Ginkgo run over disjoint requirement IDs), merges
// their reports and concludes by package verdict. Specs marked Serial run last, in one shard alone.
package check

import (
	"fmt"
	"slices"

	"github.com/onsi/ginkgo/v2"

	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/specs"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// ExitError is an exit code that has been explained already.
type ExitError int

func (e ExitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Infrastructure is an error of what the suite needs around it: an engine that does not answer, a cluster that does not boot, things that cannot be
// removed. It says nothing about the cluster, and nobody typed anything wrong.
type Infrastructure struct{ Err error }

func (i Infrastructure) Error() string { return i.Err.Error() }

// Unwrap gives what went wrong.
func (i Infrastructure) Unwrap() error { return i.Err }

// declared is one spec as Ginkgo knows it.
type declared struct {
	id     string
	serial bool
	// breaks: it needs control over the nodes.
	breaks bool
}

// preview asks Ginkgo which specs there are, without running any. It may be called once in a process.
func preview() ([]declared, error) {
	specs.Declare()
	suite, _ := ginkgo.GinkgoConfiguration()
	var all []declared
	for _, s := range ginkgo.PreviewSpecs("plumb", suite).SpecReports {
		id := idOf(s.Labels())
		if id == "" {
			return nil, fmt.Errorf("spec %q carries no requirement ID", s.FullText())
		}
		all = append(all, declared{id: id, serial: s.IsSerial, breaks: slices.Contains(s.Labels(), scene.NodeControl)})
	}
	return all, nil
}

// idOf picks the requirement ID among a spec's labels.
func idOf(labels []string) string {
	requirements, err := verdict.Manifest()
	if err != nil {
		return ""
	}
	for _, r := range requirements {
		if slices.Contains(labels, r.ID) {
			return r.ID
		}
	}
	return ""
}

// shards deals the IDs out to n processes, serial ones to a last shard of their own.
func shards(all []declared, wanted []string, n int) (parallel [][]string, serial []string) {
	parallel = make([][]string, n)
	next := 0
	for _, d := range all {
		if !slices.Contains(wanted, d.id) {
			continue
		}
		if d.serial {
			serial = append(serial, d.id)
			continue
		}
		parallel[next%n] = append(parallel[next%n], d.id)
		next++
	}
	return slices.DeleteFunc(parallel, func(s []string) bool { return len(s) == 0 }), serial
}
