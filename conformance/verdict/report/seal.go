package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// shardLogs are what the processes of a run printed.
const shardLogs = "shard-*.log"

// seal writes the digests of report.json, of its other forms and of all that it speaks of, in the format of sha256sum: sha256sum -c report.sha256 checks them too.
// It shows that files were changed or cut short since; it is no signature, and keeps nobody from sealing a lie.
func seal(dir string, r *record.Report) error {
	paths := []string{Name, pageName, junitName}
	for _, result := range r.Results {
		for _, e := range result.Evidence {
			if e.File != "" {
				paths = append(paths, e.File)
			}
		}
	}
	around, err := Beside(dir, r.Kept)
	if err != nil {
		return fmt.Errorf("seal the report: %w", err)
	}
	paths = append(paths, around...)
	var text bytes.Buffer
	for _, path := range paths {
		digest, err := digestOf(filepath.Join(dir, path))
		if err != nil {
			return fmt.Errorf("seal the report: %w", err)
		}
		fmt.Fprintf(&text, "%s  %s\n", digest, path)
	}
	return os.WriteFile(filepath.Join(dir, sealName), text.Bytes(), 0o644)
}

// Beside are the files below the folders that a run kept, and its shards' logs.
func Beside(dir string, folders []string) (paths []string, err error) {
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			inside, err := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(inside))
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	logs, err := filepath.Glob(filepath.Join(dir, shardLogs))
	for _, log := range logs {
		paths = append(paths, filepath.Base(log))
	}
	return paths, err
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}

// sealed is a line of a seal.
type sealed struct{ digest, path string }

func readSeal(dir string) (all []sealed, err error) {
	file, err := os.Open(filepath.Join(dir, sealName))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		digest, path, found := strings.Cut(lines.Text(), "  ")
		if !found || len(digest) != 2*sha256.Size || !filepath.IsLocal(path) {
			return all, fmt.Errorf("%s: %q is no digest and path", sealName, lines.Text())
		}
		all = append(all, sealed{digest, path})
	}
	return all, lines.Err()
}

// Flaw is a file that is not as it was written, and what is wrong with it.
type Flaw struct{ File, Wrong string }

func (f Flaw) String() string { return f.File + " " + f.Wrong }

// Broken holds the folder against its seal: a flaw for each file that is missing or was changed.
func Broken(dir string) []Flaw {
	all, err := readSeal(dir)
	if err != nil {
		return []Flaw{{sealName, fmt.Sprintf("cannot be read, and nothing else tells whether the files are as they were written: %v", err)}}
	}
	var flaws []Flaw
	if !slices.ContainsFunc(all, func(s sealed) bool { return s.path == Name }) {
		flaws = append(flaws, Flaw{sealName, fmt.Sprintf("does not speak of %s: it was edited or cut short", Name)})
	}
	for _, s := range all {
		got, err := digestOf(filepath.Join(dir, s.path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			flaws = append(flaws, Flaw{s.path, "is missing"})
		case err != nil:
			flaws = append(flaws, Flaw{s.path, err.Error()})
		case got != s.digest:
			flaws = append(flaws, Flaw{s.path, fmt.Sprintf("was edited or cut short after the run: its SHA-256 is %.12s..., and %s says %.12s...", got, sealName, s.digest)})
		}
	}
	return flaws
}

// Strays are the files in the places of a report that its seal does not speak of: they were put there later. What else lies in the folder is its
// owner's.
func Strays(dir string, r *record.Report) ([]Flaw, error) {
	all, err := readSeal(dir)
	if err != nil {
		return nil, nil // Broken tells it
	}
	found, err := Beside(dir, append([]string{evidenceFolder}, r.Kept...))
	if err != nil {
		return nil, err
	}
	for _, form := range []string{pageName, junitName} {
		if _, err := os.Stat(filepath.Join(dir, form)); err == nil {
			found = append(found, form)
		}
	}
	var strays []Flaw
	for _, path := range found {
		if !slices.ContainsFunc(all, func(s sealed) bool { return s.path == path }) {
			strays = append(strays, Flaw{path, "is no part of the report: it was added after the run"})
		}
	}
	return strays, nil
}

// Clear makes the folder, and takes away an earlier report in it: the files of fixed names, and what its seal speaks of. Nothing else is touched.
func Clear(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	paths := []string{Name, pageName, junitName, sealName}
	if all, err := readSeal(dir); err == nil {
		for _, s := range all {
			paths = append(paths, s.path)
		}
	}
	for _, path := range paths {
		if err := os.Remove(filepath.Join(dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
