package rotation

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDecideKeepsAtMostSoManyFiles(t *testing.T) {
	for name, row := range map[string]struct {
		files, remove, pack []string
		max                 int
	}{
		"first rotation":      {nil, nil, nil, 5},
		"one rotated":         {[]string{"l.1"}, nil, []string{"l.1"}, 5},
		"packed stay":         {[]string{"l.1.gz", "l.2"}, nil, []string{"l.2"}, 5},
		"the oldest goes":     {[]string{"l.1.gz", "l.2.gz", "l.3.gz", "l.4"}, []string{"l.1.gz"}, []string{"l.4"}, 5},
		"two files":           {[]string{"l.1"}, []string{"l.1"}, nil, 2},
		"interrupted":         {[]string{"l.1", "l.1.tmp"}, []string{"l.1.tmp"}, []string{"l.1"}, 5},
		"packed, not removed": {[]string{"l.1", "l.1.gz"}, []string{"l.1"}, nil, 5},
	} {
		p := decide(row.files, row.max)
		if !slices.Equal(p.remove, row.remove) || !slices.Equal(p.pack, row.pack) {
			t.Errorf("%s: removes %v, packs %v", name, p.remove, p.pack)
		}
	}
}

// runtime writes a log by an open file, as the real one does: renaming alone changes nothing.
type runtime struct {
	path string
	file *os.File
	fail error
}

func (r *runtime) reopen(context.Context, string) error {
	if r.fail != nil {
		return r.fail
	}
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	r.file = file
	return err
}

func TestLogsAreRotated(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "0.log")
	writer := &runtime{path: path}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &Rotator{
		MaxSize: 10, MaxFiles: 3, Running: func() []Log { return []Log{{"id", path}, {"other", filepath.Join(dir, "missing")}} }, Reopen: writer.reopen,
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	if err := writer.reopen(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	for i, want := range []string{
		"0.log", "0.log 0.log.20260101-000002", "0.log 0.log.20260101-000002.gz 0.log.20260101-000003", "0.log 0.log.20260101-000003.gz 0.log.20260101-000004",
	} {
		now = now.Add(time.Second)
		text := "0123456789 " + string(rune('a'+i))
		if i == 0 {
			text = "small"
		}
		if _, err := io.WriteString(writer.file, text); err != nil {
			t.Fatal(err)
		}
		r.Look(t.Context())
		if got := names(); got != want {
			t.Fatalf("round %d: %s, want %s", i, got, want)
		}
	}
	if got := unpack(t, path+".20260101-000003.gz"); got != "0123456789 c" {
		t.Errorf("the packed log holds %q", got)
	}
	writer.fail = errors.New("no")
	before := names()
	_, _ = io.WriteString(writer.file, "0123456789 e")
	r.Look(t.Context())
	if data, err := os.ReadFile(path); err != nil || string(data) != "0123456789 e" {
		t.Errorf("not opened anew, the log is %q, %v; %s, before %s", data, err, names(), before)
	}
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Two workers rotate at the same time: each waits in Reopen for the other.
func TestWorkersRotateTogether(t *testing.T) {
	dir := t.TempDir()
	logs := []Log{{"a", filepath.Join(dir, "a")}, {"b", filepath.Join(dir, "b")}}
	for _, log := range logs {
		if err := os.WriteFile(log.Path, make([]byte, 20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var together sync.WaitGroup
	together.Add(2)
	r := &Rotator{
		MaxSize: 10, MaxFiles: 3, Workers: 2, Running: func() []Log { return logs }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Reopen: func(context.Context, string) error {
			together.Done()
			together.Wait()
			return nil
		},
	}
	r.Look(t.Context())
	for _, log := range logs {
		if rotated, err := filepath.Glob(log.Path + ".*"); err != nil || len(rotated) != 1 {
			t.Errorf("%s: %v, %v", log.Path, rotated, err)
		}
	}
}
