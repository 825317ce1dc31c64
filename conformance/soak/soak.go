// Package soak breaks a cluster at random, one fault at a time, for as long as it is told to, while clients work on it: no acknowledged write may
// be lost, no history may be non-linearizable, no watch may miss an event.
//
// It is fed a cluster with node control and feeds plumb soak. Every round has a load of its own, so that its judges stay fast; what a round stored is
// read once more after the next round's fault. The same seed chooses the same faults.
package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/load"
)

// Soak is one run.
type Soak struct {
	Cluster cluster.Cluster
	Config  *rest.Config
	// For is how long faults are injected; the round that has begun by then is finished.
	For  time.Duration
	Seed uint64
	// Dir gets soak.json, and the history of every round that broke a rule.
	Dir string
	Out io.Writer

	rng   *rand.Rand
	paths map[string]kubernetes.Interface
	last  kept
}

// kept is what a round stored.
type kept struct {
	namespace string
	final     map[string]history.Stored
}

// Result of a run.
type Result struct {
	Seed   uint64  `json:"seed"`
	Rounds []Round `json:"rounds"`
}

// Wrong counts the rounds that broke a rule, Inconclusive those from which nothing was learned.
func (r Result) Wrong() int { return r.count(func(r Round) bool { return len(r.Wrong) > 0 }) }
func (r Result) Inconclusive() int {
	return r.count(func(r Round) bool { return r.Inconclusive != "" })
}

func (r Result) count(is func(Round) bool) (n int) {
	for _, round := range r.Rounds {
		if is(round) {
			n++
		}
	}
	return n
}

// Run breaks the cluster until For is over or ctx ends, a line to Out for each round.
func (s *Soak) Run(ctx context.Context) (Result, error) {
	var err error
	s.rng = rand.New(rand.NewPCG(s.Seed, 0))
	if s.paths, err = load.Paths(s.Config, s.Cluster.APIServers()); err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return Result{}, fmt.Errorf("--report-dir: %w", err)
	}
	result := Result{Seed: s.Seed}
	fmt.Fprintf(s.Out, "Breaking %s for %s; --seed %d chooses these faults again\n", s.Cluster.Name(), s.For, s.Seed)
	for began, n := time.Now(), 1; ctx.Err() == nil && time.Since(began) < s.For; n++ {
		r := s.round(ctx, n)
		if ctx.Err() != nil {
			break // interrupted: what it saw is no round
		}
		result.Rounds = append(result.Rounds, r)
		s.say(r, time.Since(began))
	}
	return result, s.write(result)
}

func (s *Soak) say(r Round, since time.Duration) {
	fmt.Fprintf(s.Out, "%6.0f s  round %-3d %-55s %6d calls, %4d failed, %3d unknown, longest gap %4.1f s, %5.1f s\n",
		since.Seconds(), r.N, r.Fault, r.Calls, r.Failed, r.Unknown, r.Gap, r.Seconds)
	for _, w := range r.Wrong {
		fmt.Fprintf(s.Out, "          WRONG: %s\n", w)
	}
	if r.Inconclusive != "" {
		fmt.Fprintf(s.Out, "          inconclusive: %s\n", r.Inconclusive)
	}
}

func (s *Soak) write(result Result) error {
	data, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Dir, "soak.json"), data, 0o644)
}

func (s *Soak) pathNames() []string { return slices.Sorted(maps.Keys(s.paths)) }

func (s *Soak) createNamespace(ctx context.Context, name string) error {
	return s.await(ctx, budget.Converge, func(ctx context.Context) error {
		_, err := s.paths[load.Balancer].CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

// outlived reads what the round before stored, now that another fault has passed, and removes it.
func (s *Soak) outlived(ctx context.Context) (wrong []string) {
	if s.last.namespace == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget.Converge.Limit())
	defer cancel()
	api := s.paths[load.Balancer]
	final, err := load.Stored(ctx, api.CoreV1().ConfigMaps(s.last.namespace))
	if err != nil {
		return []string{fmt.Sprintf("read what was stored in %s: %v", s.last.namespace, err)}
	}
	for key, was := range s.last.final {
		if is, found := final[key]; !found || is != was {
			wrong = append(wrong, fmt.Sprintf("%s/%s was stored as %+v and is %+v after the next fault (found: %t)", s.last.namespace, key, was, is, found))
		}
	}
	if err := api.CoreV1().Namespaces().Delete(ctx, s.last.namespace, metav1.DeleteOptions{}); err != nil {
		fmt.Fprintf(s.Out, "          namespace %s is left: %v\n", s.last.namespace, err)
	}
	return wrong
}
