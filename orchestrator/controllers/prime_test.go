package controllers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var used = regexp.MustCompile(`Informers\.(\w+)\(\)\.(V\w+)\(\)\.(\w+)\(\)`)

// An informer that a controller asks for when it begins to lead is started by nobody: the controller waits for it for ever, without a word.
func TestEveryInformerOfAControllerIsPrimed(t *testing.T) {
	source, err := os.ReadFile("controllers.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no controllers: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(text), -1) {
			if primed := "f." + m[1] + "()." + m[2] + "()." + m[3] + "().Informer()"; !strings.Contains(string(source), primed) {
				t.Errorf("%s uses %s, which prime lacks", file, m[0])
			}
		}
	}
}
