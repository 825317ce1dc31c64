package page

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// evidence is a piece of it and how much of its text is shown.
type evidence struct {
	verdict.Evidence
	// Shown is the text or its beginning; Tail is its end where the middle is left out.
	Shown, Tail string
	// Left is how many bytes are left out.
	Left int64
	// Unread says why a file could not be shown.
	Unread string
}

// headBytes and tailBytes are how much of a long text is shown.
const (
	headBytes = 4 << 10
	tailBytes = 3 << 10
)

func evidenceOf(all []verdict.Evidence, open Open) []evidence {
	var told []evidence
	for _, e := range all {
		one := evidence{Evidence: e}
		switch text, err := open(e); {
		case err != nil:
			one.Unread = err.Error()
		case e.File != "" && json.Valid(text): // calls of a client load: the timeline shows them
		default:
			one.Shown, one.Tail, one.Left = excerpt(string(text))
		}
		told = append(told, one)
	}
	return told
}

// excerpt is a text, or whole lines of its beginning and its end and how many bytes lie between them.
func excerpt(text string) (head, tail string, left int64) {
	if len(text) <= headBytes+tailBytes {
		return text, "", 0
	}
	head, tail = text[:headBytes], text[len(text)-tailBytes:]
	if i := strings.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i]
	}
	if i := strings.IndexByte(tail, '\n'); i >= 0 && i < len(tail)-1 {
		tail = tail[i+1:]
	}
	return head, tail, int64(len(text) - len(head) - len(tail))
}

// Where says where the whole of a shortened text is.
func (e evidence) Where() string {
	if e.File != "" {
		return e.File
	}
	return "report.json"
}

// Heading is the name, and how big a text is that stands elsewhere.
func (e evidence) Heading() string {
	if e.File == "" {
		return e.Name
	}
	return fmt.Sprintf("%s, %s", e.Name, size(e.Bytes))
}
