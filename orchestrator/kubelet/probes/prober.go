package probes

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// prober runs one probe of one container through all its restarts.
type prober struct {
	manager *Manager
	key     key

	mu     sync.Mutex // guards what a newer form of the pod replaces
	pod    *corev1.Pod
	member podinfo.Member
	probe  *corev1.Probe

	// Touched by run alone.
	containerID string
	held        bool // a decision was made that only a new container changes
	streak      int32
	last        Outcome
}

// attempts is how often a probe that learnt nothing is repeated at once.
const attempts = 3

func (p *prober) update(pod *corev1.Pod, member podinfo.Member, probe *corev1.Probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pod, p.member, p.probe = pod, member, probe
}

func (p *prober) spec() (*corev1.Pod, podinfo.Member, *corev1.Probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pod, p.member, p.probe
}

// run probes at once and then every period. While the container has not started yet it looks more often, so that a probe with a long period
// is not late by one.
func (p *prober) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		_, _, probe := p.spec()
		period := time.Duration(max(probe.PeriodSeconds, 1)) * time.Second
		if !p.once(ctx) {
			period = min(period, time.Second)
		}
		timer.Reset(period)
	}
}

// once probes if the container wants it now, and reports whether it did.
func (p *prober) once(ctx context.Context) bool {
	pod, member, probe := p.spec()
	now, ok := p.manager.cfg.Look(p.key.uid, p.key.container)
	if !ok {
		return false
	}
	if now.ID != p.containerID {
		p.containerID, p.held, p.streak = now.ID, false, 0
	}
	if !now.Running || p.held {
		return false
	}
	if pod.DeletionTimestamp != nil && p.key.kind != Readiness {
		return false // what is being stopped must not be restarted
	}
	if p.key.kind == Startup {
		if done, known := p.manager.Result(now.ID, Startup); known && done {
			return false
		}
	} else if !p.manager.started(now.ID, member.Container) {
		return false
	}
	if time.Since(now.Started) < time.Duration(probe.InitialDelaySeconds)*time.Second {
		return false
	}
	asked := time.Now()
	outcome, message, err := p.ask(ctx, probe, member.Container, now)
	if ctx.Err() != nil {
		return false
	}
	p.manager.metrics.note(pod, p.key.container, p.key.kind, err == nil && outcome != Failure, time.Since(asked))
	p.judge(pod, member, probe, outcome, message, err)
	return true
}

func (p *prober) ask(ctx context.Context, probe *corev1.Probe, c *corev1.Container, now Current) (outcome Outcome, message string, err error) {
	for range attempts {
		outcome, message, err = Ask(ctx, probe, c, now.ID, now.PodIP, p.manager.cfg.Exec)
		if err == nil || ctx.Err() != nil {
			return outcome, message, err
		}
	}
	return Failure, message, err
}

// judge counts outcomes and decides at the thresholds.
func (p *prober) judge(pod *corev1.Pod, member podinfo.Member, probe *corev1.Probe, outcome Outcome, message string, err error) {
	kind := p.key.kind
	switch {
	case err != nil:
		p.event(pod, member, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe errored and resulted in %s state: %v", kind, "failure", err))
	case outcome == Failure:
		p.event(pod, member, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", kind, message))
	case outcome == Warning:
		p.event(pod, member, corev1.EventTypeWarning, "ProbeWarning", fmt.Sprintf("%s probe warning: %s", kind, message))
		outcome = Success
	}
	if outcome == p.last || p.streak == 0 {
		p.streak++
	} else {
		p.streak = 1
	}
	p.last = outcome
	if outcome == Failure && p.streak < max(probe.FailureThreshold, 1) || outcome == Success && p.streak < max(probe.SuccessThreshold, 1) {
		return
	}
	if kind != Readiness && outcome == Failure {
		p.held, p.streak = true, 0
	}
	p.manager.set(p.key.uid, p.containerID, kind, outcome == Success)
}

func (p *prober) event(pod *corev1.Pod, member podinfo.Member, kind, reason, message string) {
	p.manager.cfg.Event(pod, member, kind, reason, message)
}
