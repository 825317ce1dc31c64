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

// seal writes the digests of report.json, of its other forms and of all that it speaks of, in the format of sha256sum: sha256sum -c report.sha256 checks them too.
// It shows that files were changed or cut short since; it is no signature, and keeps nobody from sealing a lie.
func seal(dir string, r *record.Report) error {
	paths := []string{reportName, pageName, junitName}
	for _, result := range r.Results {
		for _, e := range result.Evidence {
			if e.File != "" {
				paths = append(paths, e.File)
			}
		}
	}
	for _, kept := range r.Kept {
		err := filepath.WalkDir(filepath.Join(dir, kept), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			inside, err := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(inside))
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("seal the report: %w", err)
		}
	}
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

// Broken holds the folder against its seal and returns a sentence for each file that is not as it was written.
func Broken(dir string) []string {
	all, err := readSeal(dir)
	if err != nil {
		return []string{fmt.Sprintf("there is no seal to hold the files against: %v", err)}
	}
	var wrong []string
	if !slices.ContainsFunc(all, func(s sealed) bool { return s.path == reportName }) {
		wrong = append(wrong, fmt.Sprintf("%s does not speak of %s: it was edited or cut short", sealName, reportName))
	}
	for _, s := range all {
		got, err := digestOf(filepath.Join(dir, s.path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			wrong = append(wrong, s.path+" is missing")
		case err != nil:
			wrong = append(wrong, err.Error())
		case got != s.digest:
			wrong = append(wrong, fmt.Sprintf("%s was edited or cut short after the run: its SHA-256 is %.12s..., and %s says %.12s...", s.path, got, sealName, s.digest))
		}
	}
	return wrong
}

// Clear makes the folder, and takes away an earlier report in it: the files of fixed names, and what its seal speaks of. Nothing else is touched.
func Clear(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	paths := []string{reportName, pageName, junitName, sealName}
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
