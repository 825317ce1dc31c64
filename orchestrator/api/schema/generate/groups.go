package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/tools/go/packages"
)

// unregistered groups are made by discovery itself and never enter the scheme of an apiserver.
var unregistered = regexp.MustCompile(`^k8s\.io/api/apidiscovery/`)

// groupSources hold the groups that an apiserver's scheme has, each version in a package.
var groupSources = []string{
	"k8s.io/api/...",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/...",
	"k8s.io/kube-aggregator/pkg/apis/apiregistration/...",
}

// groupFacts are the API groups and versions of all packages, unstable ones too: every one of them may carry a DeleteOptions.
func groupFacts() ([]string, error) {
	found, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedFiles}, groupSources...)
	if err != nil {
		return nil, fmt.Errorf("find the API groups: %w", err)
	}
	lines := []string{"=groups"}
	for _, p := range found {
		if len(p.GoFiles) == 0 || unregistered.MatchString(p.PkgPath) {
			continue
		}
		group, version, err := groupVersion(filepath.Join(filepath.Dir(p.GoFiles[0]), "register.go"))
		if err != nil {
			return nil, err
		}
		if version != "" {
			lines = append(lines, p.PkgPath+"\t"+group+"\t"+version)
		}
	}
	return lines, nil
}

// groupVersion reads the constant GroupName and the variable SchemeGroupVersion of a register.go; empty when there is none.
func groupVersion(file string) (group, version string, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if os.IsNotExist(err) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch of := n.(type) {
		case *ast.ValueSpec:
			if of.Names[0].Name == "GroupName" {
				group = stringOf(of.Values[0])
			}
			if literal, ok := only(of.Values).(*ast.CompositeLit); ok && of.Names[0].Name == "SchemeGroupVersion" {
				for _, element := range literal.Elts {
					if pair := element.(*ast.KeyValueExpr); pair.Key.(*ast.Ident).Name == "Version" {
						version = stringOf(pair.Value)
					}
				}
			}
		case *ast.FuncDecl:
			return false
		}
		return true
	})
	return group, version, nil
}

func only(values []ast.Expr) ast.Expr {
	if len(values) != 1 {
		return nil
	}
	return values[0]
}

func stringOf(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	return text
}
