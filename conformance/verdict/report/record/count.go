package record

import (
	"cmp"
	"slices"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Count fills in what follows from the verdict: profiles, images, and how much of each budget was used. wanted are all requirements of the
// requested profiles.
func (r *Report) Count(wanted []verdict.Requirement) {
	r.Profiles = profiles(wanted, r.Results)
	r.Images = images(r.Results)
	r.spend()
}

func profiles(wanted []verdict.Requirement, results []verdict.Result) []Profile {
	all := []Profile{}
	at := func(name string) *Profile {
		i := slices.IndexFunc(all, func(p Profile) bool { return p.Name == name })
		if i < 0 {
			i = len(all)
			all = append(all, Profile{Name: name, Counts: map[verdict.Outcome]int{}})
		}
		return &all[i]
	}
	for _, w := range wanted {
		at(w.Profile).Requirements++
	}
	for _, result := range results {
		at(result.Profile).Counts[result.Outcome]++
	}
	return all
}

func images(results []verdict.Result) []verdict.Image {
	all := []verdict.Image{}
	for _, result := range results {
		for _, image := range result.Images {
			if !slices.Contains(all, image) {
				all = append(all, image)
			}
		}
	}
	slices.SortFunc(all, func(a, b verdict.Image) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	return all
}

// Limits are all budgets under the settings in use, none of them spent yet.
func Limits() []Budget {
	all := []Budget{}
	for _, b := range budget.All() {
		all = append(all, Budget{Name: b.Name, Why: b.Why, Limit: b.Limit().Seconds()})
	}
	return all
}

// spend notes the most that was used of each budget; one that the list does not have yet is added, as a spec stated it.
func (r *Report) spend() {
	for i := range r.Budgets {
		r.Budgets[i].Used, r.Budgets[i].By, r.Budgets[i].Times = 0, "", 0
	}
	for _, result := range r.Results {
		if result.Timeline == nil {
			continue
		}
		for _, spent := range result.Timeline.Spent {
			i := slices.IndexFunc(r.Budgets, func(b Budget) bool { return b.Name == spent.Budget })
			if i < 0 {
				i = len(r.Budgets)
				r.Budgets = append(r.Budgets, Budget{Name: spent.Budget, Why: spent.Why, Limit: spent.Limit})
			}
			b := &r.Budgets[i]
			b.Times++
			if spent.Took > b.Used {
				b.Used, b.By = spent.Took, result.ID
			}
		}
	}
}

// Settings lists settings with where each differs from the ones before it: a layer is named by what stated it, the last one wins.
func Settings(layers ...Layer) []Setting {
	var all []Setting
	for _, layer := range layers {
		for i, stated := range layer.Settings.Stated() {
			switch {
			case i == len(all):
				all = append(all, Setting{stated.Name, stated.Value, layer.Source})
			case all[i].Value != stated.Value:
				all[i] = Setting{stated.Name, stated.Value, layer.Source}
			}
		}
	}
	return all
}

// Layer is settings as they are once a source was heard.
type Layer struct {
	Source   string
	Settings budget.Settings
}
