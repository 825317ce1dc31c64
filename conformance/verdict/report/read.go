package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// again is what to do about a report that is damaged.
const again = "copy the folder again from where the run wrote it, or run plumb check again"

// Read returns the report in a folder. What is no report of this format is an error that says so in one line.
func Read(dir string) (*record.Report, error) {
	r, _, err := ReadBytes(dir)
	return r, err
}

// ReadBytes also returns report.json as it stands.
func ReadBytes(dir string) (*record.Report, []byte, error) {
	path := filepath.Join(dir, Name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s holds no report: there is no %s; name the --report-dir of a run", dir, Name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the report: %w", err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && syntax.Offset >= int64(len(data)) {
			return nil, data, fmt.Errorf("%s is truncated: it ends in the middle, after %d bytes; %s", path, len(data), again)
		}
		return nil, data, fmt.Errorf("%s is no JSON: %w; %s", path, err, again)
	}
	if head.Schema != record.Schema {
		return nil, data, fmt.Errorf("%s is of schema %q, and this plumb reads %q; read it with the plumb that made it", path, head.Schema, record.Schema)
	}
	r := &record.Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, data, fmt.Errorf("%s: %w; %s", path, cmp.Or(Validate(data), err), again)
	}
	return r, data, nil
}
