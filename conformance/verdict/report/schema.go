package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is the published description of report.json, JSON Schema 2020-12.
//
//go:embed schema.json
var Schema []byte

// Validate holds a report.json against the schema. An error is one line: where in the document, and what is wrong there.
func Validate(data []byte) error {
	description, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return fmt.Errorf("schema.json: %w", err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const at = "urn:plumb:report:1"
	if err := compiler.AddResource(at, description); err != nil {
		return fmt.Errorf("schema.json: %w", err)
	}
	schema, err := compiler.Compile(at)
	if err != nil {
		return fmt.Errorf("schema.json: %w", err)
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(document); errors.As(err, &invalid) {
		return errors.New(strings.Join(faults(invalid), "; "))
	} else if err != nil {
		return err
	}
	return nil
}

// faults are the leaves of a tree of errors, the first few.
func faults(e *jsonschema.ValidationError) []string {
	const few = 3
	var all []string
	var visit func(*jsonschema.ValidationError)
	visit = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			visit(cause)
		}
		if len(e.Causes) == 0 && len(all) < few {
			lines := strings.Split(e.Error(), "\n")
			text := strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "- ")
			if !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	visit(e)
	return all
}
