// Package record is what a report says, as report.json holds it: the verdict, and all that is needed to judge whether it can be trusted.
//
// It is fed by package check, and written and read by report. It is data: it does nothing but count.
package record

import (
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Schema names the version of the format. A change that an old reader would misread gets a new number.
const Schema = "plumb.report/1"

// Report is report.json.
type Report struct {
	Schema   string    `json:"schema"`
	Profiles []Profile `json:"profiles"`
	// Manifest is the SHA-256 of the requirements that the harness knew: reports of different ones cannot be compared or merged blindly.
	Manifest    string      `json:"manifest"`
	Run         Run         `json:"run"`
	Environment Environment `json:"environment"`
	// Images are all that ran in the pods of specs.
	Images   []verdict.Image `json:"images"`
	Settings []Setting       `json:"settings"`
	Budgets  []Budget        `json:"budgets"`
	// Kept are the files and folders that hold what the cluster was like when something did not pass.
	Kept []string `json:"kept,omitempty"`
	// Parts are the reports of shards that this one was merged from.
	Parts []Part `json:"parts,omitempty"`
	verdict.Verdict
}

// ProfileNames are the profiles that were asked for, in their order.
func (r *Report) ProfileNames() (names []string) {
	for _, p := range r.Profiles {
		names = append(names, p.Name)
	}
	return names
}

// Profile counts the outcomes of one profile. Requirements is how many it has: more than the sum when the run was partial.
type Profile struct {
	Name         string                  `json:"name"`
	Requirements int                     `json:"requirements"`
	Counts       map[verdict.Outcome]int `json:"counts"`
}

// Run is how plumb was run.
type Run struct {
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Flags as they were given, defaults left out.
	Flags []string `json:"flags"`
	Focus string   `json:"focus,omitempty"`
	// Shard is "1/3" when the run was one of several.
	Shard string `json:"shard,omitempty"`
	// Rerun is the report whose requirements ran again.
	Rerun *Rerun `json:"rerun,omitempty"`
	// Selected are the IDs that a focus, a shard or a rerun left to run; none when all of the profiles ran.
	Selected []string `json:"selected,omitempty"`
	// Seed is Ginkgo's, of all processes of the run.
	Seed  int64 `json:"seed"`
	Procs int   `json:"procs"`
}

// Rerun is the report that did not pass: its folder, its sentence, and the UID of the cluster that it judged.
type Rerun struct {
	Folder string `json:"folder"`
	Text   string `json:"text"`
	UID    string `json:"uid"`
}

// Part is the report of a shard, as it was before it was merged.
type Part struct {
	Folder string `json:"folder"`
	Shard  string `json:"shard"`
	Text   string `json:"text"`
	Exit   int    `json:"exit"`
	// UID is that of the cluster which the shard judged, Seed the one of its specs' order.
	UID  string `json:"uid"`
	Seed int64  `json:"seed"`
}

// Environment is what was judged, and from where.
type Environment struct {
	Target  Target  `json:"target"`
	Nodes   []Node  `json:"nodes"`
	Harness Harness `json:"harness"`
}

// Target is the cluster under test; UID, of its namespace kube-system, tells it from any other.
type Target struct {
	Name       string `json:"name"`
	Kubernetes string `json:"kubernetes"`
	UID        string `json:"uid"`
}

// Node is one machine of the target as its API describes it.
type Node struct {
	Name         string `json:"name"`
	Role         string `json:"role"`
	Kubelet      string `json:"kubelet,omitempty"`
	OS           string `json:"os,omitempty"`
	Kernel       string `json:"kernel,omitempty"`
	Runtime      string `json:"runtime,omitempty"`
	Architecture string `json:"architecture,omitempty"`
}

// Harness is the program that judged and its machine.
type Harness struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Cores    int    `json:"cores"`
	// Memory is in bytes; 0 is unknown.
	Memory int64 `json:"memory"`
}

// Setting is one of budget.Settings, with where its value is from.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Budget is a time limit under the target's settings, in seconds, with the most that any requirement used of it.
type Budget struct {
	Name  string  `json:"name"`
	Why   string  `json:"why"`
	Limit float64 `json:"limit"`
	// Used is the most, By whom; Times is how often it was measured. All are empty for a budget that this run did not measure.
	Used  float64 `json:"used,omitempty"`
	By    string  `json:"by,omitempty"`
	Times int     `json:"times,omitempty"`
}
