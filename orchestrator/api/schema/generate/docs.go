package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// description of a type or field as OpenAPI shows it: paragraphs joined, indented lines kept apart, markers and one-line TODOs left out.
func description(comments []string) string {
	var text []byte
	unjoin := func() {
		if len(text) > 0 {
			text = text[:len(text)-1]
		}
	}
	for _, line := range comments {
		if line == "---" {
			break
		}
		line = strings.TrimRight(line, " ")
		lead := strings.TrimLeft(line, " ")
		switch {
		case line == "":
			unjoin()
			text = append(text, "\n\n"...)
		case strings.HasPrefix(lead, "TODO"), strings.HasPrefix(lead, "+"):
		case line[0] == ' ' || line[0] == '\t':
			unjoin()
			text = append(text, "\n"+line+"\n"...)
		default:
			text = append(text, line+" "...)
		}
	}
	return strings.TrimSpace(string(text))
}

// swaggerDocs reads what the SwaggerDoc methods of a package return, by type and JSON name. Facts hold only what differs.
func swaggerDocs(dir string) (map[string]map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "types_swagger_doc_generated.go"), nil, 0)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	docs := map[string]map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		name, isDoc := strings.CutPrefix(spec.Names[0].Name, "map_")
		literal, isMap := spec.Values[0].(*ast.CompositeLit)
		if isDoc && isMap {
			docs[name] = texts(literal)
		}
		return false
	})
	return docs, nil
}

func texts(literal *ast.CompositeLit) map[string]string {
	found := map[string]string{}
	for _, element := range literal.Elts {
		pair := element.(*ast.KeyValueExpr)
		key, _ := strconv.Unquote(pair.Key.(*ast.BasicLit).Value)
		value, _ := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
		found[key] = value
	}
	return found
}
