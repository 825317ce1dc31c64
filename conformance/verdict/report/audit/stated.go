package audit

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// wanted are the requirements of the report's profiles.
func (a *Audit) wanted() ([]verdict.Requirement, error) {
	names := a.Report.ProfileNames()
	if len(names) == 0 {
		return nil, fmt.Errorf("no profile is named")
	}
	return verdict.Of(names...)
}

// selected are the IDs of a partial run; nil for a whole one.
func (a *Audit) selected(wanted []verdict.Requirement) []string {
	run := a.Report.Run
	focused, err := verdict.Matching(wanted, run.Focus)
	if err != nil {
		a.find("run.focus", err.Error(), rerun)
		return []string{}
	}
	partial := run.Focus != "" || run.Shard != "" || run.Rerun != nil
	if a.Report.Partial != partial {
		a.find("partial", fmt.Sprintf("is %t, and the run had focus %q and shard %q, and was a rerun: %t", a.Report.Partial, run.Focus, run.Shard, run.Rerun != nil), rerun)
	}
	if !partial {
		if len(run.Selected) > 0 {
			a.find("run.selected", "is there, and the run was whole", rerun)
		}
		return nil
	}
	for _, id := range run.Selected {
		if !slices.Contains(focused, id) {
			a.find("run.selected", fmt.Sprintf("%s is none of the requirements that the profiles and focus %q leave", id, run.Focus), rerun)
		}
	}
	if run.Shard == "" && run.Rerun == nil && len(run.Selected) != len(focused) {
		a.find("run.selected", fmt.Sprintf("has %d requirements, and focus %q leaves %d", len(run.Selected), run.Focus, len(focused)), rerun)
		return focused
	}
	return append([]string{}, run.Selected...)
}

// listed holds the list of results against the manifest: each that must be there, once, and no other.
func (a *Audit) listed(wanted []verdict.Requirement, selected []string) {
	due := map[string]verdict.Requirement{}
	for _, w := range wanted {
		if selected == nil || slices.Contains(selected, w.ID) {
			due[w.ID] = w
		}
	}
	seen := map[string]bool{}
	for _, r := range a.Report.Results {
		w, ok := due[r.ID]
		switch {
		case seen[r.ID]:
			a.find(at(r.ID), "it is there twice", rerun)
		case !ok:
			a.find(at(r.ID), "it is none of the requirements that this run had", rerun)
		case r.Profile != w.Profile || r.Requirement != w.Text:
			a.find(at(r.ID), fmt.Sprintf("its profile or sentence is not that of the manifest: %s, %q", w.Profile, w.Text), rerun)
		case (a.Report.Run.Rerun != nil) != (len(r.Attempts) > 0):
			a.find(at(r.ID)+".attempts", "are those of a rerun, and must be there then and only then", rerun)
		case r.Outcome != worst(r):
			a.find(at(r.ID)+".outcome", fmt.Sprintf("states %s, and its worst attempt is %s", r.Outcome, worst(r)), rerun)
		}
		seen[r.ID] = true
	}
	var absent []string
	for _, w := range wanted {
		if _, ok := due[w.ID]; ok && !seen[w.ID] {
			absent = append(absent, w.ID)
		}
	}
	if len(absent) > 0 {
		a.find("results", fmt.Sprintf("%s must be there and %s not", strings.Join(absent, ", "), are(len(absent))), rerun)
	}
}

// worst of the attempts, if there were several.
func worst(r verdict.Result) verdict.Outcome {
	worst := verdict.Result{Outcome: r.Last()}
	for _, attempt := range r.Attempts {
		worst = verdict.Worse(worst, verdict.Result{Outcome: attempt.Outcome})
	}
	return worst.Outcome
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// at is the field of a requirement's result.
func at(id string) string { return "results[" + id + "]" }

// stated holds the totals against the results as they stand. The first that differs is told: what follows from it differs too.
func (a *Audit) stated(wanted []verdict.Requirement, selected []string) {
	r := a.Report
	sum := *r
	sum.Budgets = slices.Clone(r.Budgets)
	sum.Verdict = verdict.Judge(wanted, r.Results, selected, r.Doubts...)
	sum.Count(wanted)
	for _, part := range []struct {
		field        string
		stated, adds any
		same         bool
	}{
		{"counts", counted(r.Counts), counted(sum.Counts), counted(r.Counts) == counted(sum.Counts)},
		{"profiles", perProfile(r.Profiles), perProfile(sum.Profiles), perProfile(r.Profiles) == perProfile(sum.Profiles)},
		{"exit", r.Exit, sum.Exit, r.Exit == sum.Exit},
		{"text", fmt.Sprintf("%q", r.Text), fmt.Sprintf("%q", sum.Text), r.Text == sum.Text},
		{"budgets", "what was used of them", "another use", reflect.DeepEqual(r.Budgets, sum.Budgets)},
		{"images", "those that ran", "others", len(r.Images)+len(sum.Images) == 0 || reflect.DeepEqual(r.Images, sum.Images)},
	} {
		if !part.same {
			a.find(part.field, fmt.Sprintf("states %v, and the results make it %v", part.stated, part.adds), rerun)
			break
		}
	}
	if r.Environment.Target.UID == "" && len(r.Doubts) == 0 {
		a.find("environment.target.uid", "is empty, and no doubt says that nobody knows what was judged", rerun)
	}
	if l := r.Leadership; l != nil {
		if n := verdict.Unexplained(l.Changes); n != l.Unexplained {
			a.find("leadership.unexplained", fmt.Sprintf("states %d, and %d changes have no cause", l.Unexplained, n), rerun)
		}
	}
}

// counted is "2 failed, 5 passed".
func counted(counts map[verdict.Outcome]int) string {
	var all []string
	for _, o := range slices.Sorted(maps.Keys(counts)) {
		if counts[o] > 0 {
			all = append(all, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	return strings.Join(all, ", ")
}

func perProfile(profiles []record.Profile) string {
	var all []string
	for _, p := range profiles {
		all = append(all, fmt.Sprintf("%s (of %d: %s)", p.Name, p.Requirements, counted(p.Counts)))
	}
	return strings.Join(all, " ")
}

// granted holds the limits of the budgets against the settings.
func (a *Audit) granted() {
	settings, err := a.settings()
	if err != nil {
		a.find("settings", err.Error(), rerun)
		return
	}
	for _, b := range a.Report.Budgets {
		if wrong := limit(b.Name, b.Limit, settings); wrong != "" {
			a.find("budgets["+b.Name+"].limit", wrong, "verify it with the plumb that made it, if that was another")
		}
	}
}

func (a *Audit) settings() (budget.Settings, error) {
	var stated []budget.Stated
	for _, s := range a.Report.Settings {
		stated = append(stated, budget.Stated{Name: s.Name, Value: s.Value})
	}
	return budget.Of(stated)
}

// limit tells what is wrong with a budget's limit under the target's settings; nothing when it is as it must be.
func limit(name string, seconds float64, settings budget.Settings) string {
	all := budget.All()
	i := slices.IndexFunc(all, func(b budget.Budget) bool { return b.Name == name })
	if i < 0 {
		return "this plumb knows no such budget"
	}
	if grants := all[i].Under(settings).Seconds(); grants != seconds {
		return fmt.Sprintf("is %g s, and under the report's settings this plumb grants %g s", seconds, grants)
	}
	return ""
}
