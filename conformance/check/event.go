package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// event is one line of JSON from a shard to its parent: a spec began, or it ended with a result. What a shard has reported is kept even if it is
// killed before its end.
type event struct {
	Began  string          `json:"began,omitempty"`
	Result *verdict.Result `json:"result,omitempty"`
}

// events reads a shard's lines until it has no more. A line that was cut off with its shard ends them.
func events(from io.Reader, take func(event)) error {
	decoder := json.NewDecoder(from)
	for {
		var e event
		err := decoder.Decode(&e)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("report of a shard: %w", err)
		case e.Began == "" && e.Result == nil:
			return fmt.Errorf("report of a shard: an event that says nothing")
		}
		take(e)
	}
}
