// Package bench measures a cluster from outside, and compares two on one machine: what its processes keep in memory and compute when idle, how many
// requests the API serves per second of processor time, and how soon a created pod is ready.
//
// plumb bench feeds it one or two kubeconfigs. Machines differ and are busy with other things, so it compares in alternating rounds and reports
// the median of each side and the ratio. It reads memory and processor time of components from /proc of this machine: their nodes must be
// containers (or processes) here, their host names the names of the nodes. It knows nothing of what the components are.
package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Config of a run.
type Config struct {
	// Sides are what is measured: one, or two to compare; the goals are for the first one against the second.
	Sides []cluster.Cluster
	// Names of the sides in the report.
	Names []string
	// Rounds of everything but a cluster at rest, which is measured once.
	Rounds int
	// Settle is how long a cluster stays idle before it is measured.
	Settle time.Duration
	// Scale divides the amounts of work: 1 is the full bench.
	Scale int
	// Image of the pods that are started: one that does nothing.
	Image string
	// Only measures whose name holds this text; empty is all.
	Only string
	Out  io.Writer
}

// side is one cluster under measurement.
type side struct {
	name   string
	nodes  []cluster.Node
	config *rest.Config
	client kubernetes.Interface
}

// measure is one figure of a cluster.
type measure struct {
	name, unit string
	// goal is what the first side's median may be at most, or must be at least, of the second's.
	goal  goal
	order int
}

// sample is what one round of one side gave, by measure.
type sample map[measure]float64

// Run measures every side and returns the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	todo := experiments(cfg)
	if len(todo) == 0 {
		return nil, fmt.Errorf("--only %s: measure idle, api or start", cfg.Only)
	}
	var sides []*side
	for i, target := range cfg.Sides {
		s, err := newSide(cfg.Names[i], target)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	report := newReport(sides)
	for _, experiment := range todo {
		if err := alternate(ctx, cfg, experiment, sides, report); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// alternate runs an experiment on the sides in turn; each round begins with another one.
func alternate(ctx context.Context, cfg Config, e experiment, sides []*side, report *Report) error {
	rounds := cfg.Rounds
	if e.once {
		rounds = 1
	}
	for round := range rounds {
		for i := range sides {
			s := sides[(i+round)%len(sides)]
			fmt.Fprintf(cfg.Out, "  %s: %s, round %d of %d\n", s.name, e.name, round+1, rounds)
			got, err := e.run(ctx, cfg, s)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, e.name, err)
			}
			report.add(s.name, got)
		}
	}
	return nil
}

func newSide(name string, target cluster.Cluster) (*side, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(target.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &side{name: name, nodes: target.Nodes(), config: config, client: client}, nil
}

// experiment takes samples; one that is done once changes what a second round would find.
type experiment struct {
	name string
	once bool
	run  func(context.Context, Config, *side) (sample, error)
}

// experiments that a run holds, in order: that of rest first, while nothing else has been asked of the cluster.
func experiments(cfg Config) []experiment {
	all := []experiment{
		{name: "idle", once: true, run: idle},
		{name: "api", run: api},
		{name: "start", run: podStart},
	}
	return slices.DeleteFunc(all, func(e experiment) bool { return !strings.Contains(e.name, cfg.Only) })
}
