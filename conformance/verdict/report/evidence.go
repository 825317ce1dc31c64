package report

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// big is how long a text may be to stand in report.json: more, and it gets a file of its own.
const big = 16 << 10

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// spill moves big evidence into files below dir and leaves their digests behind.
func spill(dir string, results []verdict.Result) error {
	for i := range results {
		used := map[string]int{}
		for j := range results[i].Evidence {
			e := &results[i].Evidence[j]
			if len(e.Text) <= big {
				continue
			}
			name := results[i].ID + "-" + unsafe.ReplaceAllString(e.Name, "-")
			if used[name]++; used[name] > 1 {
				name += fmt.Sprintf("-%d", used[name])
			}
			if err := spillOne(dir, name, e); err != nil {
				return fmt.Errorf("evidence of %s: %w", results[i].ID, err)
			}
		}
	}
	return nil
}

func spillOne(dir, name string, e *verdict.Evidence) error {
	kind := ".txt.gz"
	if json.Valid([]byte(e.Text)) {
		kind = ".json.gz"
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := io.WriteString(zip, e.Text); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, evidenceFolder), 0o755); err != nil {
		return err
	}
	e.File = evidenceFolder + "/" + name + kind
	e.SHA256, e.Bytes, e.Text = fmt.Sprintf("%x", sha256.Sum256(packed.Bytes())), int64(len(e.Text)), ""
	return os.WriteFile(filepath.Join(dir, e.File), packed.Bytes(), 0o644)
}

// Open returns the text of a piece of evidence, from its file if it has one. A file whose digest is another than the report says is an error.
func Open(dir string, e verdict.Evidence) ([]byte, error) {
	if e.File == "" {
		return []byte(e.Text), nil
	}
	if !filepath.IsLocal(e.File) {
		return nil, fmt.Errorf("%s leads out of the report's folder", e.File)
	}
	packed, err := os.ReadFile(filepath.Join(dir, e.File))
	if err != nil {
		return nil, fmt.Errorf("%s is missing: %w", e.File, err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(packed)); got != e.SHA256 {
		return nil, fmt.Errorf("%s was changed: its SHA-256 begins with %.12s, and the report says %.12s", e.File, got, e.SHA256)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.File, err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.File, err)
	}
	if int64(len(text)) != e.Bytes {
		return nil, fmt.Errorf("%s holds %d bytes, and the report says %d", e.File, len(text), e.Bytes)
	}
	return text, nil
}
