package check

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Part is one of several runs that together make a whole one, on clusters of the same shape: Index of Of, from 1. The zero Part is all.
type Part struct{ Index, Of int }

// ParsePart reads "2/3".
func ParsePart(text string) (Part, error) {
	if text == "" {
		return Part{}, nil
	}
	index, of, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if err != nil || err2 != nil || i < 1 || i > n {
		return Part{}, fmt.Errorf("--shard %s: want i/n with 1 <= i <= n, such as 2/3", text)
	}
	return Part{i, n}, nil
}

func (p Part) String() string {
	if p.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.Index, p.Of)
}

// of deals the IDs out to all parts and returns this one's: the same on every machine. Serial ones, which take longest, are dealt out by
// themselves, so that each part gets its share of them.
func (p Part) of(all []declared, ids []string) []string {
	mine, dealt := []string{}, map[bool]int{}
	for _, id := range ids {
		serial := slices.ContainsFunc(all, func(d declared) bool { return d.id == id && d.serial })
		if dealt[serial]%p.Of == p.Index-1 {
			mine = append(mine, id)
		}
		dealt[serial]++
	}
	return mine
}

// selection is what a focus, a rerun or a part leave of the requirements; nil when none of them is asked for.
func (r *Run) selection(all []declared, wanted []verdict.Requirement) ([]string, error) {
	if r.Focus == "" && r.Part.Of == 0 && r.Rerun == nil {
		return nil, nil
	}
	ids, err := verdict.Matching(wanted, r.Focus)
	if err != nil {
		return nil, err
	}
	if r.Rerun != nil {
		ids = slices.DeleteFunc(ids, func(id string) bool {
			return !slices.ContainsFunc(r.Earlier, func(earlier verdict.Result) bool { return earlier.ID == id })
		})
	}
	if r.Part.Of > 0 {
		ids = r.Part.of(all, ids)
	}
	return ids, nil
}

func idsOf(wanted []verdict.Requirement) []string {
	ids := []string{}
	for _, w := range wanted {
		ids = append(ids, w.ID)
	}
	return ids
}

// controlled expects control over the nodes where one of the requirements needs it: it is said before anything runs, and names them.
func (r *Run) controlled(all []declared, ids []string) error {
	if r.Target.Control() != nil {
		return nil
	}
	var needy []string
	for _, d := range all {
		if d.breaks && slices.Contains(ids, d.id) {
			needy = append(needy, d.id)
		}
	}
	if len(needy) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d requirements break nodes (%s): give --node-control, or choose others by --profile or --focus",
		ErrNoControl, len(needy), len(ids), strings.Join(needy, ", "))
}

// ErrNoControl: something that was asked for cannot be judged on this target. Nothing was run.
var ErrNoControl = errors.New("no control over the target's nodes")
