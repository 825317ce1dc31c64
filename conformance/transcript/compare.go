package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"gopkg.in/yaml.v3"
)

// Accepted is a difference that is known and meant: a line that only one side shows.
type Accepted struct {
	// Command is a pattern of the command lines that it concerns.
	Command string `yaml:"command"`
	// Line is a pattern of the line, with "-" before one that only the recording has and "+" before one that is new.
	Line string `yaml:"line"`
	// Reason says why the difference is right.
	Reason string `yaml:"reason"`

	command, line *regexp.Regexp
}

// Exceptions are all accepted differences.
type Exceptions []Accepted

func parseExceptions(data []byte) (Exceptions, error) {
	var e Exceptions
	if err := yaml.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("read the accepted differences: %w", err)
	}
	for i := range e {
		a := &e[i]
		var err error
		if a.command, err = regexp.Compile(a.Command); err == nil {
			a.line, err = regexp.Compile("^(?:" + a.Line + ")$")
		}
		if err != nil || a.Reason == "" || a.Line == "" {
			return nil, fmt.Errorf("accepted difference %d: a command, a line and a reason are needed: %w", i+1, err)
		}
	}
	return e, nil
}

// accepts says whether a line of a difference, mark first, is a known one.
func (e Exceptions) accepts(commandLine, line string) bool {
	return slices.ContainsFunc(e, func(a Accepted) bool { return a.command.MatchString(commandLine) && a.line.MatchString(line) })
}

// Compare says how what was seen of a command differs from what was recorded: a unified diff, empty when nothing but accepted differences is left.
func (e Exceptions) Compare(recorded, seen Step) string {
	want, got := transcribed(recorded), transcribed(seen)
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: want, B: got, FromFile: "recorded", ToFile: "seen", Context: 2})
	if err != nil {
		return err.Error() // writing to memory: never
	}
	for _, line := range changes(diff) {
		if !e.accepts(recorded.Text, line) {
			return diff
		}
	}
	return ""
}

// transcribed is all that is compared of a command, a line each.
func transcribed(s Step) []string {
	var lines []string
	for _, line := range s.Output {
		lines = append(lines, line+"\n")
	}
	return append(lines, fmt.Sprintf("[exit code %d]\n", s.Exit))
}

// changes are the lines of a unified diff that only one side has.
func changes(diff string) []string {
	var lines []string
	for i, line := range strings.Split(diff, "\n") {
		if i >= 2 && line != "" && (line[0] == '-' || line[0] == '+') { // the first two name the sides
			lines = append(lines, line)
		}
	}
	return lines
}
