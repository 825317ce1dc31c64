package orchestrator_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are what people read first, relative to this folder.
var pages = []string{"README.md", "../README.md", "../conformance/cluster/CONTRACT.md", "../conformance/cluster/NODECONTROL.md"}

var link = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)

// targets are the files and folders that a page links to, relative to this folder.
func targets(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range link.FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(match[1], "://") {
			found = append(found, filepath.Join(filepath.Dir(page), match[1]))
		}
	}
	return found
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	for _, page := range pages {
		for _, target := range targets(t, page) {
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links %s, which is not there", page, target)
			}
		}
	}
}

// TestTheMapShowsEveryRoom: a folder of the house that the story does not lead to is one that nobody finds.
func TestTheMapShowsEveryRoom(t *testing.T) {
	shown := targets(t, "README.md")
	rooms, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		leads := func(target string) bool { return below(target, room.Name()) }
		if room.IsDir() && !slices.ContainsFunc(shown, leads) {
			t.Errorf("README.md does not lead to %s", room.Name())
		}
	}
}
