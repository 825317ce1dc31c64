package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

var began = time.Date(2026, 11, 3, 9, 14, 3, 0, time.UTC)

func after(seconds float64) time.Time {
	return began.Add(time.Duration(seconds * float64(time.Second)))
}

// rich is a report of everything that a report can say: each outcome, each kind of mark, clients that fail, budgets used up, and a target that
// says hostile things.
func rich() *record.Report {
	wanted, err := verdict.Manifest()
	if err != nil {
		panic(err)
	}
	r := &record.Report{
		Schema: record.Schema, Manifest: verdict.Digest(), Budgets: record.Limits(),
		Settings: record.Settings(record.Layer{Source: "upstream's default", Settings: budget.Stock()}),
		Run:      record.Run{Began: began, Ended: after(2010.4), Flags: []string{"--config=kind-configs/ha.yaml", "--report-dir=.report"}, Seed: 1793697243, Procs: 4},
		Environment: record.Environment{
			Target:  record.Target{Name: "https://127.0.0.1:40123", Kubernetes: "v1.37.2", UID: "6f2c1f0e-2d43-4a57-9f58-0c6e3f3a7b11"},
			Harness: record.Harness{Version: "v0.4.0-12-g55d6da4", Go: "go1.26.6", Platform: "linux/amd64", Cores: 8, Memory: 33<<30 + 500<<20},
		},
		Kept: []string{"logs", "objects"},
	}
	for _, name := range []string{"ha-control-plane", "ha-control-plane2", "ha-control-plane3"} {
		r.Environment.Nodes = append(r.Environment.Nodes, node(name, "control-plane"))
	}
	for _, name := range []string{"ha-worker", "ha-worker2"} {
		r.Environment.Nodes = append(r.Environment.Nodes, node(name, "worker"))
	}
	r.Verdict = verdict.Judge(wanted, outcomes(wanted), nil)
	r.Leadership = &verdict.Leadership{
		Observed: []string{"kube-controller-manager", "kube-scheduler", "etcd"}, Unexplained: 1,
		Changes: []verdict.LeaderChange{
			{At: after(702), Subject: "kube-scheduler", From: "ha-control-plane2", To: "ha-control-plane3"},
			{At: after(1030), Subject: "kube-controller-manager", From: "ha-control-plane", To: "ha-control-plane2", Because: "HA-003"},
		},
	}
	r.Count(wanted)
	return r
}

func node(name, role string) record.Node {
	return record.Node{Name: name, Role: role, Kubelet: "v1.37.2", OS: "Plumb node", Kernel: "6.18.5", Runtime: "containerd://2.4.2", Architecture: "amd64"}
}

// hostile is what a target may say to a page that trusts it.
const hostile = `</pre><script>alert("x")</script><img src=x onerror=alert(1)> "quotes' & \u202egnp.exe`

// outcomes are results for all requirements: most pass, four at a time and those that break something one after another.
func outcomes(wanted []verdict.Requirement) (all []verdict.Result) {
	var ends [4]float64
	serial := 96.0
	for i, w := range wanted {
		one := verdict.Result{ID: w.ID, Outcome: verdict.Passed, Images: []verdict.Image{{Name: "docker.io/plumb/echo:v1", Digest: "sha256:" + strings.Repeat("4e1f", 16)}}}
		breaks := w.Profile == "ha" || w.Profile == "rescheduling" || w.ID >= "ROUTE-010" && w.Profile == "routing"
		switch {
		case breaks:
			one.Began, one.Seconds = after(serial), 38+float64(i*7%19)
			serial += one.Seconds
			one.Timeline = broken(one, i)
		default:
			one.Began, one.Seconds = after(ends[i%4]), 2+float64(i*7%23)/2
			ends[i%4] += one.Seconds
		}
		one.Evidence = append(one.Evidence, verdict.Evidence{Name: "judged", Text: fmt.Sprintf("%d calls, 412 stored, 3 watches up to version 4711", 900+i)})
		if w.ID != "NODE-020" {
			all = append(all, spoiled(one))
		}
	}
	return all
}

// spoiled makes some results worse than passed.
func spoiled(one verdict.Result) verdict.Result {
	objects := verdict.Evidence{Name: verdict.Objects, Text: "Pod      api-016/web-0  Running  ha-worker\nService  api-016/web   10.96.14.2"}
	events := verdict.Evidence{Name: verdict.Events, Text: "09:14:41 Normal   Scheduled  Pod web-0: assigned to ha-worker\n09:14:44 Warning  BackOff    Pod web-0: " + hostile}
	switch one.ID {
	case "API-016":
		one.Outcome, one.Message = verdict.Failed, "a create with an unknown field and fieldValidation=Strict was accepted\nExpected\n    <int>: 201\nto equal\n    <int>: 400\n"+hostile
		one.Evidence = append([]verdict.Evidence{objects, events}, one.Evidence...)
	case "HA-015":
		one.Outcome, one.Message = verdict.Failed, "writes through the balancer within 15s (3 etcd elections + the balancer notices + 3 s for a call that hangs) of 09:21:12.400\nThe last error was: Post \"https://127.0.0.1:40123/api/v1/namespaces/ha-015/configmaps\": context deadline exceeded"
		one.Evidence = append([]verdict.Evidence{objects}, one.Evidence...)
	case "RESCHED-003":
		one.Outcome, one.Message = verdict.Inconclusive, "inconclusive: pause node ha-worker2: the fault was not witnessed: not within 20s: the kubelet still answers"
	case "ROUTE-013":
		one.Outcome, one.Message = verdict.Skipped, "the target's proxy cannot be killed: no node control"
	case "NODE-028":
		one.Evidence = append(one.Evidence, verdict.Evidence{Name: "log", Text: strings.Repeat("a line of the container's log, as it was followed\n", 300)})
	}
	return one
}

// broken is the timeline of a spec that kills a node under load; every third also loses calls, and what it waits for is late at times.
func broken(r verdict.Result, i int) *verdict.Timeline {
	at := func(share float64) time.Time {
		return r.Began.Add(time.Duration(share * r.Seconds * float64(time.Second)))
	}
	name := "kill node ha-control-plane2"
	t := &verdict.Timeline{
		Marks: []verdict.Mark{
			{At: at(.02), Kind: verdict.Phase, Subject: "before"},
			{At: at(.27), Kind: verdict.Phase, Subject: "while one control plane is gone"},
			{At: at(.3), Kind: verdict.Injected, Subject: name},
			{At: at(.34), Kind: verdict.Witnessed, Subject: name, Text: "after 0.5 s: container exited with 137 at 09:20:11.317; its API does not answer"},
			{At: at(.38), Kind: verdict.Leader, Subject: "kube-controller-manager", Text: "ha-control-plane3"},
			{At: at(.41), Kind: verdict.Leader, Subject: "etcd", Text: "ha-control-plane"},
			{At: at(.66), Kind: verdict.Healing, Subject: name},
			{At: at(.76), Kind: verdict.Healed, Subject: name, Text: "after 1.3 s: the node is Ready and its member has caught up"},
			{At: at(.78), Kind: verdict.Phase, Subject: "after"},
		},
		Spent: []verdict.Spent{
			{Budget: budget.WritesBack.Name, Why: budget.WritesBack.Why, Subject: "writes through the balancer", From: at(.3), Limit: budget.WritesBack.Limit().Seconds(), Took: 0.41 + float64(i%4)/3},
			{Budget: budget.ControllersBack.Name, Why: budget.ControllersBack.Why, Subject: "a new Deployment has its ReplicaSet, and its pod a node", From: at(.42), Limit: budget.ControllersBack.Limit().Seconds(), Took: 2.3},
			{Budget: budget.NodeReturn.Name, Why: budget.NodeReturn.Why, Subject: "node ha-control-plane2", From: at(.66), Limit: budget.NodeReturn.Limit().Seconds(), Took: 4.6},
		},
	}
	if r.ID == "HA-015" {
		t.Spent[0].Took = t.Spent[0].Limit + 2.2
		t.Spent[1].Took = .9 * t.Spent[1].Limit
	}
	for n, client := range []string{"balancer", "ha-control-plane", "ha-control-plane2", "ha-control-plane3"} {
		t.Lanes = append(t.Lanes, calls(client, r, n, at))
	}
	return t
}

func calls(client string, r verdict.Result, n int, at func(float64) time.Time) verdict.Lane {
	l := verdict.Lane{Client: client}
	for k := range 300 {
		share := .03 + .94*(float64(k)+float64(k*k*(n+3)%97)/97)/301
		c := verdict.Call{At: at(share), Took: 0.004 + float64(k*n%17)/1000, Outcome: "ok"}
		switch gone := share > .3 && share < .7; {
		case gone && n == 2:
			c.Outcome, c.Took = "failed", 0.01
		case gone && n == 0 && share < .34:
			c.Outcome = "failed"
			if k%3 == 0 {
				c.Outcome, c.Took = "unknown", 3
			}
		}
		l.Calls = append(l.Calls, c)
	}
	return l
}
