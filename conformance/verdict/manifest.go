package verdict

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Requirement is one thing a conformant cluster does.
type Requirement struct {
	ID      string `json:"id"`
	Profile string `json:"profile"`
	// Text is one sentence.
	Text string `json:"requirement"`
}

// manifest holds a requirement a line: ID, a space, the sentence. The profile is the ID's part before the dash, in lower case.
//
//go:embed requirements.txt
var manifest string

// Manifest returns every requirement, in the file's order.
func Manifest() ([]Requirement, error) {
	var all []Requirement
	for n, line := range strings.Split(strings.TrimSpace(manifest), "\n") {
		id, text, found := strings.Cut(line, " ")
		profile, _, dashed := strings.Cut(id, "-")
		if !found || !dashed {
			return nil, fmt.Errorf("requirements.txt:%d: want ID and sentence, have %q", n+1, line)
		}
		all = append(all, Requirement{ID: id, Profile: profiles[profile], Text: text})
		if profiles[profile] == "" {
			return nil, fmt.Errorf("requirements.txt:%d: %s belongs to no profile", n+1, id)
		}
	}
	return all, nil
}

// profiles by the prefix of their IDs.
var profiles = map[string]string{
	"API": "api", "WORK": "workloads", "NODE": "node", "ROUTE": "routing", "SCHED": "scheduling", "HA": "ha", "RESCHED": "rescheduling",
}

// Profiles returns the names of all profiles that have requirements, sorted.
func Profiles() ([]string, error) {
	all, err := Manifest()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range all {
		if !slices.Contains(names, r.Profile) {
			names = append(names, r.Profile)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Of returns the requirements of the named profiles; no names means all.
func Of(names ...string) ([]Requirement, error) {
	all, err := Manifest()
	if err != nil || len(names) == 0 {
		return all, err
	}
	known, err := Profiles()
	if err != nil {
		return nil, err
	}
	var chosen []Requirement
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--profile %s: there is no such profile; there are %s", name, strings.Join(known, ", "))
		}
	}
	for _, r := range all {
		if slices.Contains(names, r.Profile) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// Matching are the IDs of the requirements whose ID or sentence matches an expression, as --focus has it.
func Matching(wanted []Requirement, expression string) ([]string, error) {
	match, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("--focus: %w", err)
	}
	ids := []string{}
	for _, w := range wanted {
		if match.MatchString(w.ID + " " + w.Text) {
			ids = append(ids, w.ID)
		}
	}
	return ids, nil
}

// Digest is the SHA-256 of the whole list.
func Digest() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(manifest))) }
