package check

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// progress tells people how a run goes: a line for each spec that has ended, with its time, and which ones run. A terminal gets colour and a last line that
// follows the run; elsewhere the running specs are named only when nothing has ended for a while.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	// sentence of each requirement by ID.
	sentence map[string]string
	now      func() time.Time

	mu      sync.Mutex
	done    int
	bad     int
	running map[string]time.Time // since when
	said    time.Time
}

// quiet is how long a run that is no terminal's may say nothing.
const quiet = 30 * time.Second

func newProgress(out io.Writer, wanted []verdict.Requirement, total int) *progress {
	p := &progress{out: out, terminal: isTerminal(out), total: total, sentence: map[string]string{}, now: time.Now, running: map[string]time.Time{}}
	for _, w := range wanted {
		p.sentence[w.ID] = w.Text
	}
	p.said = p.now()
	return p
}

// isTerminal also obeys NO_COLOR (no-color.org) and TERM=dumb.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// follow keeps the last line of a terminal fresh until ctx ends.
func (p *progress) follow(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.clear()
			return
		case <-ticker.C:
			p.tick()
		}
	}
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal:
		fmt.Fprint(p.out, "\r\x1b[K"+p.state())
	case len(p.running) > 0 && p.now().Sub(p.said) >= quiet:
		fmt.Fprintln(p.out, p.state())
		p.said = p.now()
	}
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// state is "12 of 36 done, 1 not passed; running NODE-003 (4 s), ROUTE-001 (2 s)".
func (p *progress) state() string {
	text := fmt.Sprintf("%d of %d done", p.done, p.total)
	if p.bad > 0 {
		text += fmt.Sprintf(", %d not passed", p.bad)
	}
	separator := "; running "
	for _, id := range slices.Sorted(maps.Keys(p.running)) {
		text += fmt.Sprintf("%s%s (%.0f s)", separator, id, p.now().Sub(p.running[id]).Seconds())
		separator = ", "
	}
	return text
}

// take notes what a shard reports.
func (p *progress) take(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Result == nil {
		p.running[e.Began] = p.now()
		return
	}
	delete(p.running, e.Result.ID)
	p.done++
	if e.Result.Outcome != verdict.Passed {
		p.bad++
	}
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	fmt.Fprint(p.out, p.line(*e.Result))
	p.said = p.now()
	if p.terminal {
		fmt.Fprint(p.out, p.state())
	}
}

// line of one result; one that did not pass is followed by what went wrong and what the spec kept of its objects and their events.
func (p *progress) line(r verdict.Result) string {
	width := len(fmt.Sprint(p.total))
	text := fmt.Sprintf("[%*d/%d] %s %-10s %6.1f s  %s\n", width, p.done, p.total, p.colour(r.Outcome), r.ID, r.Seconds, p.sentence[r.ID])
	if r.Outcome == verdict.Passed {
		return text
	}
	text += indent(r.Message)
	for _, e := range r.Evidence {
		if lines := strings.Split(strings.TrimSpace(e.Text), "\n"); e.Brief() && lines[0] != "" {
			text += "  " + e.Name + ":\n" + indent(strings.Join(lines[max(0, len(lines)-shown):], "\n"))
		}
	}
	return text
}

// shown is how many lines of each piece of evidence are printed; the report has all.
const shown = 20

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

func (p *progress) colour(o verdict.Outcome) string {
	word := fmt.Sprintf("%-12s", o)
	if !p.terminal {
		return word
	}
	code := map[verdict.Outcome]int{verdict.Passed: 32, verdict.Failed: 31}[o]
	if code == 0 {
		code = 33
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, word)
}
