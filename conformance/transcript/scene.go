package transcript

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kind of a step: what its first character says.
type kind byte

// The kinds of steps. A note is everything else: comments and blank lines.
const (
	note    kind = '#'
	command kind = '$'
	settle  kind = '?'
	cleanup kind = '&'
)

// The first characters of the lines below a command.
const (
	actMark    = '>'
	outputMark = '|'
	exitMark   = '='
)

// Step is one command line with what was recorded of it, or a note.
type Step struct {
	kind kind
	// Text is the command line; of a note the whole line.
	Text string
	acts []act
	// Output is masked, a line each; Exit is the exit code.
	Output []string
	Exit   int
}

// Scene is one file: a story told in a namespace of its own.
type Scene struct {
	Name  string
	Steps []Step
}

// parse reads a scene. An error names the line.
func parse(name, text string) (Scene, error) {
	s := Scene{Name: name}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if err := s.add(line); err != nil {
			return s, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return s, nil
}

func (s *Scene) add(line string) error {
	if line == "" || line[0] == byte(note) {
		s.Steps = append(s.Steps, Step{kind: note, Text: line})
		return nil
	}
	rest := strings.TrimPrefix(line[1:], " ")
	switch line[0] {
	case byte(command), byte(settle), byte(cleanup):
		s.Steps = append(s.Steps, Step{kind: kind(line[0]), Text: rest})
		return nil
	case actMark, outputMark, exitMark:
	default:
		return fmt.Errorf("a line begins with one of # $ ? & > | =, not %q", line[:1])
	}
	if len(s.Steps) == 0 || s.Steps[len(s.Steps)-1].kind != command {
		return fmt.Errorf("%q belongs below a command", line)
	}
	return s.Steps[len(s.Steps)-1].detail(line[0], rest)
}

func (s *Step) detail(mark byte, rest string) error {
	var err error
	switch mark {
	case outputMark:
		s.Output = append(s.Output, rest)
	case exitMark:
		s.Exit, err = strconv.Atoi(rest)
	case actMark:
		var a act
		a, err = parseAct(rest)
		s.acts = append(s.acts, a)
	}
	return err
}

// Format is the file of a scene.
func (s Scene) Format() string {
	var b strings.Builder
	for _, step := range s.Steps {
		if step.kind == note {
			fmt.Fprintln(&b, step.Text)
			continue
		}
		fmt.Fprintf(&b, "%c %s\n", step.kind, step.Text)
		for _, a := range step.acts {
			fmt.Fprintf(&b, "%c %s\n", actMark, a)
		}
		for _, line := range step.Output {
			fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%c %s", outputMark, line), " "))
		}
		if step.Exit != 0 {
			fmt.Fprintf(&b, "%c %d\n", exitMark, step.Exit)
		}
	}
	return b.String()
}

// aloneMark begins the note of a scene that reads or changes the whole cluster.
const aloneMark = "# Alone:"

// alone is true when no other scene may be played at the same time.
func (s Scene) alone() bool {
	return slices.ContainsFunc(s.Steps, func(s Step) bool { return s.kind == note && strings.HasPrefix(s.Text, aloneMark) })
}

// Commands is how many command lines are compared.
func (s Scene) Commands() int {
	n := 0
	for _, step := range s.Steps {
		if step.kind == command {
			n++
		}
	}
	return n
}
