package endpoint

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

// compressFrom is the size of an answer, in bytes, from which it may be compressed (stock's 128 KiB).
const compressFrom = 128 << 10

// compressors are reused: one of them holds several hundred KiB.
var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// acceptsGzip tells whether the client names gzip, as stock reads the header: a clause with a quality is none.
func acceptsGzip(r *http.Request) bool {
	for _, clause := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(clause) == "gzip" {
			return true
		}
	}
	return false
}

// writeCompressed writes a large answer in less bytes.
func writeCompressed(w http.ResponseWriter, code int, write func(io.Writer)) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Add("Vary", "Accept-Encoding")
	w.WriteHeader(code)
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(w)
	write(z)
	_ = z.Close()
}
