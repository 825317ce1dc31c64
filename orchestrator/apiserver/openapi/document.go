package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/munnerz/goautoneg"
)

// document is one OpenAPI document, built once and kept compressed per media type.
type document struct {
	// build returns the JSON; it runs once.
	build func() ([]byte, error)
	// binary encodes the JSON as protobuf; nil for documents without that form.
	binary func(document []byte) ([]byte, error)
	// medias are what a client may ask for and what it is answered with.
	medias []media
	// self is the document's own URL when it has one with its hash in it.
	self string

	mu sync.Mutex
	// hash of the JSON, empty before it was built; built is when that was.
	hash   string
	built  time.Time
	bodies map[bool][]byte // compressed, by whether it is protobuf
}

type media struct {
	asked, answered string
	binary          bool
}

// ServeHTTP picks the media type and answers; with the right hash in its URL the answer may be kept for ever.
func (d *document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	m, ok := d.negotiate(r.Header.Get("Accept"))
	if !ok {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	body, made, err := d.body(m.binary)
	if err != nil {
		http.Error(w, "build the OpenAPI document: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	if made {
		// Documents are built once and leave tens of megabytes behind: an idle server gives them back at once.
		defer debug.FreeOSMemory()
	}
	w.Header().Set("Content-Type", m.answered)
	w.Header().Set("Etag", strconv.Quote(d.hash))
	if asked := r.URL.Query().Get("hash"); asked != "" && d.self != "" {
		if asked != d.hash {
			http.Redirect(w, r, d.location(), http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Cache-Control", "public, immutable")
		w.Header().Set("Expires", time.Now().AddDate(1, 0, 0).Format(time.RFC1123))
	}
	d.write(w, r, body)
}

// write sends the body as it is kept when the client reads gzip, else unpacked.
func (d *document) write(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Header.Get("Range") == "" {
		w.Header().Set("Content-Encoding", "gzip")
	} else {
		unpacked, err := unpack(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body = unpacked
	}
	http.ServeContent(w, r, "", d.built, bytes.NewReader(body))
}

// negotiate takes the first clause of an Accept header that fits.
func (d *document) negotiate(accept string) (media, bool) {
	if accept == "" {
		accept = "*/*"
	}
	for _, clause := range goautoneg.ParseAccept(accept) {
		for _, m := range d.medias {
			group, sub, _ := strings.Cut(m.asked, "/")
			if (clause.Type == group || clause.Type == "*") && (clause.SubType == sub || clause.SubType == "*") {
				return m, true
			}
		}
	}
	return media{}, false
}

// body returns one encoding, compressed, and whether it was made for this call: at its first use.
func (d *document) body(binary bool) (packed []byte, made bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found, ok := d.bodies[binary]; ok {
		return found, false, nil
	}
	plain, err := d.json()
	if err != nil {
		return nil, false, err
	}
	if binary {
		if plain, err = d.binary(plain); err != nil {
			return nil, false, fmt.Errorf("encode as protobuf: %w", err)
		}
		d.bodies[true] = pack(plain)
	}
	return d.bodies[binary], true, nil
}

// json is the document in full: unpacked, or built when this is the first time. The caller holds the lock.
func (d *document) json() ([]byte, error) {
	if packed, ok := d.bodies[false]; ok {
		return unpack(packed)
	}
	made, err := d.build()
	if err != nil {
		return nil, err
	}
	d.bodies = map[bool][]byte{false: pack(made)}
	d.hash, d.built = fmt.Sprintf("%X", sha512.Sum512(made)), time.Now()
	return made, nil
}

// location is the document's URL with its hash.
func (d *document) location() string {
	return d.self + "?" + url.Values{"hash": {d.hash}}.Encode()
}

func pack(plain []byte) []byte {
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	// Writes into memory do not fail.
	_, _ = packer.Write(plain)
	_ = packer.Close()
	return bytes.Clone(out.Bytes())
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack an OpenAPI document: %w", err)
	}
	return io.ReadAll(reader)
}

// newIndex lists documents with their hashes, which is what clients keep them by: all are built for it.
func newIndex(of map[string]*document) *document {
	type entry struct {
		URL string `json:"serverRelativeURL"`
	}
	return &document{
		medias: []media{{asked: "application/json", answered: "application/json"}},
		build: func() ([]byte, error) {
			paths := map[string]entry{}
			for name, d := range of {
				if _, _, err := d.body(false); err != nil {
					return nil, fmt.Errorf("build %s: %w", name, err)
				}
				paths[name] = entry{d.location()}
			}
			return json.Marshal(map[string]any{"paths": paths})
		},
	}
}
