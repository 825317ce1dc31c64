package follow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	crilogs "k8s.io/cri-client/pkg/logs"
)

// errLimit: as many bytes were written as may be.
var errLimit = errors.New("the limit of bytes is reached")

// stamp is how the times of records are shown: RFC 3339 with all nine digits.
const stamp = "2006-01-02T15:04:05.000000000Z07:00"

// writer shows records as opts say.
type writer struct {
	opts    *crilogs.LogOptions
	streams map[string]io.Writer
	left    int64
	// midLine: the last record was a part of a line, so the next one gets no time of its own.
	midLine bool
}

func newWriter(opts *crilogs.LogOptions, stdout, stderr io.Writer) *writer {
	w := &writer{opts: opts, streams: map[string]io.Writer{string(runtimeapi.Stdout): stdout, string(runtimeapi.Stderr): stderr}, left: math.MaxInt64}
	if opts.LimitBytes != nil {
		w.left = *opts.LimitBytes
	}
	return w
}

// record shows one line of the log's file, which is "TIME STREAM TAG TEXT\n". The tag is P when the text is a part of a line, and F when the line ends
// with it. What is no record, as half of one that a crash of the runtime left, is passed over.
func (w *writer) record(line []byte) error {
	fields := bytes.SplitN(line, []byte{' '}, 4)
	if len(fields) < 4 {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, string(fields[0]))
	out, known := w.streams[string(fields[1])]
	if err != nil || !known {
		return nil
	}
	tag, _, _ := bytes.Cut(fields[2], []byte(runtimeapi.LogTagDelimiter))
	continued, part := w.midLine, string(tag) == string(runtimeapi.LogTagPartial)
	w.midLine = part
	if out == nil || at.Before(w.opts.Since) {
		return nil
	}
	text := fields[3]
	if part {
		text = bytes.TrimSuffix(text, []byte{'\n'})
	}
	if w.opts.Timestamp && !continued {
		text = append(at.AppendFormat(nil, stamp+" "), text...)
	}
	if int64(len(text)) >= w.left {
		if _, err := out.Write(text[:w.left]); err != nil {
			return fmt.Errorf("copy a log: %w", err)
		}
		return errLimit
	}
	w.left -= int64(len(text))
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("copy a log: %w", err)
	}
	return nil
}
