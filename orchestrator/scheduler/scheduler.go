// Package scheduler gives every pending pod a node: step 5 in the life of a Pod.
//
// It watches pods and nodes through the apiserver, keeps them in state, takes one pod after another from queue, asks rules which nodes may run
// it and which suits best, and writes a binding. When no node may, it asks preempt whether evicting others would help, and says why not.
// One pod is decided at a time on the assumed state; bindings and events are written asynchronously. It reaches the cluster through client-go only.
package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/component/leader"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/queue"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// Config of a scheduler.
type Config struct {
	Client kubernetes.Interface
	// Names of the profiles: pods whose spec.schedulerName is another one are left alone. None is the default scheduler's.
	Names []string
	// Pauses between attempts at one pod: zero is stock's.
	Pauses queue.Pauses
	// Clock measures the pauses between attempts: nil is the real one.
	Clock  clock.WithTicker
	Logger *slog.Logger
	// Parallelism bounds the bindings under way at the same time: 0 is 64.
	Parallelism int
	// Election is nil for a scheduler that leads alone.
	Election *leader.Config
}

// Scheduler of one cluster.
type Scheduler struct {
	Config
	rules []*rules.Rule
	queue *queue.Queue
	// recorders send the events of each profile.
	recorders map[string]record.EventRecorder
	budgets   cache.Store
	sources   []cache.Controller
	writes    chan struct{}

	// mu guards state.
	mu    sync.Mutex
	state *state.State
}

// New returns a scheduler that does nothing until Run.
func New(cfg Config) *Scheduler {
	if len(cfg.Names) == 0 {
		cfg.Names = []string{corev1.DefaultSchedulerName}
	}
	if cfg.Pauses == (queue.Pauses{}) {
		cfg.Pauses = queue.DefaultPauses
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	if cfg.Parallelism == 0 {
		cfg.Parallelism = 64
	}
	s := &Scheduler{
		Config: cfg, rules: rules.All(), queue: queue.New(cfg.Clock, cfg.Pauses), state: state.New(), writes: make(chan struct{}, cfg.Parallelism),
	}
	s.sources = s.informers()
	return s
}

// Run follows the cluster and, whenever this process leads, schedules, until ctx ends.
func (s *Scheduler) Run(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { s.follow(ctx); return nil })
	both.Go(func() error {
		lead := func(ctx context.Context) error { s.lead(ctx); return nil }
		if s.Election == nil {
			return lead(ctx)
		}
		election := *s.Election
		election.Leases, election.Logger = s.Client.CoordinationV1(), s.Logger
		return leader.Run(ctx, election, lead)
	})
	return both.Wait()
}

// follow keeps the state up to date until ctx ends. It runs on standbys too, so that a new leader starts with a full picture.
func (s *Scheduler) follow(ctx context.Context) {
	var running sync.WaitGroup
	for _, i := range s.sources {
		running.Go(func() { i.RunWithContext(ctx) })
	}
	running.Wait()
}

// lead schedules pods until ctx ends, beginning when the picture is complete: half of it would fill nodes that are full.
func (s *Scheduler) lead(ctx context.Context) {
	for _, i := range s.sources {
		if !cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
			return
		}
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	s.startRecording(broadcaster)
	var working sync.WaitGroup
	defer working.Wait()
	working.Go(func() { s.releaseForgotten(ctx) })
	for {
		attempt, ok := s.queue.Next(ctx)
		if !ok {
			return
		}
		s.schedule(ctx, attempt, &working)
	}
}

func (s *Scheduler) releaseForgotten(ctx context.Context) {
	ticker := s.Clock.NewTicker(30 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			s.queue.ReleaseForgotten()
		}
	}
}

// schedule decides one pod and hands the writing over.
func (s *Scheduler) schedule(ctx context.Context, attempt queue.Attempt, working *sync.WaitGroup) {
	pod := attempt.Pod
	if pod.DeletionTimestamp != nil || pod.Spec.NodeName != "" {
		s.queue.Done(attempt)
		return
	}
	assumed, refused := s.decide(pod)
	if assumed == nil {
		s.refuse(ctx, attempt, refused, working)
		return
	}
	s.Logger.Log(ctx, slog.LevelInfo-2, "pod placed", "pod", types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, "node", assumed.Spec.NodeName)
	if !s.write(ctx, working, func(ctx context.Context) { s.bind(ctx, attempt, assumed) }) {
		s.takeBack(attempt, assumed, rules.Need{Events: rules.Anything})
	}
}

// write runs one asynchronous write; at most Parallelism are under way. It returns false, having done nothing, when ctx has ended.
func (s *Scheduler) write(ctx context.Context, working *sync.WaitGroup, do func(context.Context)) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case s.writes <- struct{}{}:
	}
	working.Go(func() {
		defer func() { <-s.writes }()
		do(ctx)
	})
	return true
}

// takeBack undoes the assumption that a pod is placed, unless its binding has been seen meanwhile: an answer may be lost on its way when the
// write was not. The pod is tried again, in the next term if this one has ended.
func (s *Scheduler) takeBack(attempt queue.Attempt, assumed *corev1.Pod, need rules.Need) {
	s.mu.Lock()
	// The object tells them apart, whatever has happened to the pod since: what is seen of a binding comes as another one.
	if placed := s.state.Placed(assumed.UID); placed != nil && placed.Pod == assumed {
		s.state.Remove(assumed.UID)
	}
	s.mu.Unlock()
	s.queue.Refuse(attempt, need)
	s.queue.Happened(freed(assumed))
}

// decide picks the best node and assumes the pod there. Without one it returns every node's refusals.
func (s *Scheduler) decide(pod *corev1.Pod) (assumed *corev1.Pod, refused map[string][]rules.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := state.NewPod(pod)
	prepared := rules.Prepare(s.rules, p, s.state)
	refused = map[string][]rules.Refusal{}
	var fitting []*state.Node
	for _, n := range s.state.Nodes() {
		if r := s.refusals(prepared, p, n); len(r) > 0 {
			refused[n.Name] = r
		} else {
			fitting = append(fitting, n)
		}
	}
	if len(fitting) == 0 {
		return nil, refused
	}
	assumed = pod.DeepCopy()
	assumed.Spec.NodeName = best(prepared, fitting).Name
	s.state.Place(assumed)
	return assumed, nil
}

// refusals also counts in the pods that made room for themselves on the node by preemption.
func (s *Scheduler) refusals(prepared *rules.Prepared, p *state.Pod, n *state.Node) []rules.Refusal {
	refused := prepared.Refusals(n)
	over := s.state.NominatedOver(p, n.Name)
	if len(refused) > 0 || len(over) == 0 {
		return refused
	}
	for _, nominated := range over {
		placed := nominated.Pod.DeepCopy()
		placed.Spec.NodeName = n.Name
		s.state.Place(placed)
	}
	defer func() {
		for _, nominated := range over {
			s.state.Remove(nominated.UID)
			s.state.Nominate(nominated, n.Name)
		}
	}()
	return rules.PrepareFilters(s.rules, p, s.state).Refusals(n)
}

// best is the node with the highest score; among equals, any.
func best(prepared *rules.Prepared, fitting []*state.Node) *state.Node {
	scores := prepared.Scores(fitting)
	chosen, equals := 0, 1
	for i := 1; i < len(fitting); i++ {
		switch {
		case scores[i] > scores[chosen]:
			chosen, equals = i, 1
		case scores[i] == scores[chosen]:
			equals++
			if rand.IntN(equals) == 0 {
				chosen = i
			}
		}
	}
	return fitting[chosen]
}

// listBudgets are all PodDisruptionBudgets.
func (s *Scheduler) listBudgets() []*policyv1.PodDisruptionBudget {
	var budgets []*policyv1.PodDisruptionBudget
	for _, obj := range s.budgets.List() {
		budgets = append(budgets, obj.(*policyv1.PodDisruptionBudget))
	}
	return budgets
}

// key is a pod's name in errors and logs.
func key(pod *corev1.Pod) string { return fmt.Sprintf("%s/%s", pod.Namespace, pod.Name) }
