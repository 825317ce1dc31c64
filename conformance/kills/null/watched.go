package null

import (
	"bytes"
	"encoding/json"
	"net/http"

	"k8s.io/apimachinery/pkg/watch"
)

// rewritten passes everything on, and each event of a watch as one that is new for each makes of it.
func rewritten(real *upstream, begin func() func(event []byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isWatch(r) {
			real.ServeHTTP(w, r)
			return
		}
		plain := r.Clone(r.Context())
		plain.Header.Set("Accept", "application/json")
		plain.Header.Del("Accept-Encoding")
		real.ServeHTTP(&events{ResponseWriter: w, rewrite: begin()}, plain)
	})
}

// events is a watch's answer on its way: a line of JSON each.
type events struct {
	http.ResponseWriter
	rewrite func([]byte) []byte
	// begun is the line that has not ended.
	begun bytes.Buffer
}

// Unwrap lets the answer be flushed.
func (e *events) Unwrap() http.ResponseWriter { return e.ResponseWriter }

func (e *events) Write(data []byte) (int, error) {
	e.begun.Write(data)
	for {
		i := bytes.IndexByte(e.begun.Bytes(), '\n')
		if i < 0 {
			return len(data), nil
		}
		line := bytes.Clone(e.begun.Next(i + 1))
		if _, err := e.ResponseWriter.Write(e.rewrite(line)); err != nil {
			return 0, err
		}
	}
}

func stutteringWatch(real *upstream) http.Handler {
	return rewritten(real, func() func([]byte) []byte {
		return func(event []byte) []byte { return append(event, event...) }
	})
}

// oldNews gives what was modified the data that the same watch delivered before.
func oldNews(real *upstream) http.Handler {
	return rewritten(real, func() func([]byte) []byte {
		before := map[string]any{}
		return func(line []byte) []byte {
			var event struct {
				Type   watch.EventType `json:"type"`
				Object map[string]any  `json:"object"`
			}
			if json.Unmarshal(line, &event) != nil || event.Object == nil {
				return line
			}
			metadata, _ := event.Object["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			data := event.Object["data"]
			if event.Type == watch.Modified {
				event.Object["data"] = before[name]
			}
			before[name] = data
			told, err := json.Marshal(event)
			if err != nil {
				return line
			}
			return append(told, '\n')
		}
	})
}
