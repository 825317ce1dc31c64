package transcript

import (
	"fmt"
	"slices"
	"strings"

	"github.com/creack/pty"
)

// act is one thing done while a command runs: a verb and what it is about.
type act struct{ verb, about string }

// The verbs.
const (
	// terminal COLUMNSxROWS, first of all acts, gives the command a terminal of that size.
	terminal = "terminal"
	// expect TEXT waits until the output holds TEXT beyond what earlier acts found.
	expect = "expect"
	// send TEXT types a line.
	send = "send"
	// end closes the command's input: the end of a pipe, ^D on a terminal.
	end = "end"
	// resize COLUMNSxROWS changes the terminal.
	resize = "resize"
	// run COMMAND runs another command to its end, unrecorded.
	run = "run"
	// get PATH asks the forwarded port by HTTP and adds the answer to the output.
	get = "get"
	// interrupt sends SIGINT: ^C.
	interrupt = "interrupt"
)

var verbs = []string{terminal, expect, send, end, resize, run, get, interrupt}

func (a act) String() string { return strings.TrimSpace(a.verb + " " + a.about) }

func parseAct(text string) (act, error) {
	verb, about, _ := strings.Cut(text, " ")
	if !slices.Contains(verbs, verb) {
		return act{}, fmt.Errorf("%q is not one of %s", verb, strings.Join(verbs, ", "))
	}
	if verb == terminal || verb == resize {
		if _, err := parseSize(about); err != nil {
			return act{}, err
		}
	}
	return act{verb, about}, nil
}

func parseSize(text string) (*pty.Winsize, error) {
	var size pty.Winsize
	if _, err := fmt.Sscanf(text, "%dx%d", &size.Cols, &size.Rows); err != nil {
		return nil, fmt.Errorf("%q is not COLUMNSxROWS: %w", text, err)
	}
	return &size, nil
}
