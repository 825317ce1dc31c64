package page

import (
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// headline is the verdict in words that need no manual.
type headline struct {
	// Tone is the outcome whose colour and shape it has.
	Tone  verdict.Outcome
	Word  string
	Tells string
}

// headlineOf says what package verdict has concluded; it concludes nothing itself.
func headlineOf(r *record.Report) headline {
	h := headline{Tone: toneOf(r.Exit), Word: wordOf(r)}
	ran, total := len(r.Results)-r.Counts[verdict.Missing], required(r)
	passed := r.Counts[verdict.Passed]
	switch {
	case ran == 0:
		h.Tells = fmt.Sprintf("Nothing ran: none of the %s was tried.", many(total, "requirement"))
	case r.Counts[verdict.Failed] > 0:
		h.Tells = fmt.Sprintf("%s of %s failed%s.", group(int64(r.Counts[verdict.Failed])), many(len(r.Results), "requirement"), others(r))
	case passed < len(r.Results):
		h.Tells = fmt.Sprintf("Nothing failed, but %d of %s passed%s: what was not proven is not taken for granted.", passed, many(len(r.Results), "requirement"), others(r))
	case len(r.Doubts) > 0:
		h.Tells = fmt.Sprintf("All %s passed, and yet the run proves nothing.", many(passed, "requirement"))
	default:
		h.Tells = fmt.Sprintf("All %s passed, each with its evidence.", many(passed, "requirement"))
	}
	if r.Partial {
		h.Tells += fmt.Sprintf(" Only a part was run: of %s required, %s. That is a count and no verdict.", group(int64(total)), group(int64(len(r.Results))))
	}
	return h
}

func toneOf(exit int) verdict.Outcome {
	switch exit {
	case verdict.ExitConformant:
		return verdict.Passed
	case verdict.ExitFailed:
		return verdict.Failed
	}
	return verdict.Inconclusive
}

func wordOf(r *record.Report) string {
	switch {
	case r.Partial:
		return "Partial run"
	case r.Exit == verdict.ExitConformant:
		return "Conformant"
	case r.Exit == verdict.ExitFailed:
		return "Not conformant"
	}
	return "Inconclusive"
}

// required is how many requirements the profiles have, whether or not they were selected.
func required(r *record.Report) (n int) {
	for _, p := range r.Profiles {
		n += p.Requirements
	}
	return max(n, len(r.Results))
}

// others tells of outcomes that are neither pass nor failure.
func others(r *record.Report) string {
	var told []string
	for _, o := range []verdict.Outcome{verdict.Inconclusive, verdict.Missing, verdict.Skipped} {
		if n := r.Counts[o]; n > 0 {
			word := map[verdict.Outcome]string{verdict.Inconclusive: "proved nothing", verdict.Missing: "did not run", verdict.Skipped: "skipped"}[o]
			if o == verdict.Skipped {
				word = map[bool]string{true: "was skipped", false: "were skipped"}[n == 1]
			}
			told = append(told, fmt.Sprintf("%d %s", n, word))
		}
	}
	if len(told) == 0 {
		return ""
	}
	return ", " + strings.Join(told, ", ")
}
