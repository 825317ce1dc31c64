package kindconfig

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// locator finds the line of a field, for errors.
type locator struct {
	file string
	root *yaml.Node
}

// errorf is FILE:LINE: FIELD: text. path is dotted; a number is an index.
func (l locator) errorf(path, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", l.file, l.line(path), path, fmt.Sprintf(format, args...))
}

// line of the deepest part of path that the file has.
func (l locator) line(path string) int {
	node, line := l.root, l.root.Line
	for _, part := range strings.Split(path, ".") {
		node = child(node, part)
		if node == nil {
			break
		}
		line = node.Line
	}
	return line
}

func child(node *yaml.Node, part string) *yaml.Node {
	if node.Kind == yaml.SequenceNode {
		i, err := strconv.Atoi(part)
		if err != nil || i >= len(node.Content) {
			return nil
		}
		return node.Content[i]
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == part {
			return node.Content[i+1]
		}
	}
	return nil
}

// patch is a document within the text of a kubeadmConfigPatch: where it is, and where its fields are.
type patch struct {
	at   locator
	path string
	root *yaml.Node
}

// errorf is FILE:LINE: PATH: FIELD: text, with the line of the field where the text stands as it is written.
func (p patch) errorf(field, format string, args ...any) error {
	line := p.at.line(p.path)
	if text := p.at.node(p.path); text != nil && text.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line += locator{root: p.root}.line(field)
	}
	return fmt.Errorf("%s:%d: %s: %s: %s", p.at.file, line, p.path, field, fmt.Sprintf(format, args...))
}

// node at the end of a path; nil when the file has none.
func (l locator) node(path string) *yaml.Node {
	node := l.root
	for _, part := range strings.Split(path, ".") {
		if node = child(node, part); node == nil {
			return nil
		}
	}
	return node
}
