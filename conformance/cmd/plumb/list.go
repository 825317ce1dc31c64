package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// printList shows the requirements by profile, those of a focus only: how many, then a sentence each.
func (f *checkFlags) printList(out io.Writer) error {
	wanted, err := verdict.Of(f.profiles...)
	if err != nil {
		return err
	}
	matching, err := verdict.Matching(wanted, f.focus)
	if err != nil {
		return err
	}
	var profiles []string
	grouped := map[string][]verdict.Requirement{}
	for _, r := range wanted {
		if !slices.Contains(matching, r.ID) {
			continue
		}
		if grouped[r.Profile] == nil {
			profiles = append(profiles, r.Profile)
		}
		grouped[r.Profile] = append(grouped[r.Profile], r)
	}
	for i, p := range profiles {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s (%d)\n", p, len(grouped[p]))
		for _, r := range grouped[p] {
			fmt.Fprintf(out, "  %-12s %s\n", r.ID, r.Text)
		}
	}
	return nil
}
