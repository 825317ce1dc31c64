package main

import (
	"slices"
	"strings"

	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/types"
)

// enum is a string type of which the markers say that its constants are all values.
type enum struct {
	values map[string]constant
}

type constant struct{ name, comment string }

// enums of all loaded packages, with their constants wherever those stand.
func enums(universe types.Universe) map[types.Name]*enum {
	found := map[types.Name]*enum{}
	for _, p := range universe {
		for _, t := range p.Types {
			tags := gengo.ExtractCommentTags("+", t.CommentLines)
			if t.Kind == types.Alias && t.Underlying.Name.Name == "string" && tags["enum"] != nil {
				found[t.Name] = &enum{values: map[string]constant{}}
			}
		}
	}
	for _, p := range universe {
		for _, c := range p.Constants {
			if e := found[c.Underlying.Name]; e != nil && c.ConstValue != nil {
				e.add(*c.ConstValue, constant{c.Name.Name, strings.Join(c.CommentLines, " ")})
			}
		}
	}
	return found
}

// add keeps the longer comment of two constants with one value, so that the result does not depend on an order.
func (e *enum) add(value string, c constant) {
	before, known := e.values[value]
	if known && (len(before.comment) > len(c.comment) || len(before.comment) == len(c.comment) && before.comment <= c.comment) {
		return
	}
	e.values[value] = c
}

// enumFacts are the lines of a package's enums: the type, then a line per value with its description.
func (r *reader) enumFacts(pkg string) []string {
	var names []types.Name
	for name := range r.enums {
		if name.Package == pkg {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b types.Name) int { return cmpString(a.Name, b.Name) })
	var lines []string
	for _, name := range names {
		lines = append(lines, "="+name.Package+"."+name.Name+"\tenum")
		for _, value := range sortedKeys(r.enums[name].values) {
			c := r.enums[name].values[value]
			text := strings.TrimPrefix(strings.TrimSpace(c.comment), c.name)
			lines = append(lines, value+"\t"+strings.Join(strings.Fields(text), " "))
		}
	}
	return lines
}

func sortedKeys(m map[string]constant) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
