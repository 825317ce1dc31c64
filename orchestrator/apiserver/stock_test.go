package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// record names a kubeconfig of a stock cluster: then its answers are written to the testdata, instead of being compared with ours. The cluster
// needs a namespace of that name; everything is a dry run, but for the objects that updates start from.
const (
	recordFrom     = "PLUMB_RECORD_STOCK"
	casesNamespace = "guard-cases"
	casesFolder    = "../api/testdata/stock"
)

// cases are requests about one kind: an object, and what is changed of it before it is sent.
type cases struct {
	// Path of the collection.
	Path string `json:"path"`
	// Base is a valid object.
	Base map[string]any `json:"base"`
	// Create and Update are changes: from a path of fields, with slashes, to a value; null takes the field away.
	Create []map[string]any `json:"create"`
	Update []map[string]any `json:"update"`
}

// told is an answer without what differs from run to run.
type told struct {
	Case     string               `json:"case"`
	Code     int                  `json:"code"`
	Reason   metav1.StatusReason  `json:"reason,omitempty"`
	Message  string               `json:"message,omitempty"`
	Causes   []metav1.StatusCause `json:"causes,omitempty"`
	Warnings []string             `json:"warnings,omitempty"`
	// Object is what came back of a successful create.
	Object any `json:"object,omitempty"`
}

// sender sends a request and returns the answer.
type sender func(method, path, body string) answer

// TestAnswersAreStocks compares our answers to bad and good requests with those recorded from stock v1.37.2.
func TestAnswersAreStocks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(casesFolder, "*.cases.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	if kubeconfig := os.Getenv(recordFrom); kubeconfig != "" {
		send := stock(t, kubeconfig)
		for _, file := range files {
			recordAnswers(t, file, send)
		}
		return
	}
	known := differences(t)
	w := newWorld(t)
	w.namespace(casesNamespace)
	send := func(method, path, body string) answer { return w.do("", method, path, body) }
	for _, file := range files {
		kind := strings.TrimSuffix(filepath.Base(file), ".cases.yaml")
		t.Run(kind, func(t *testing.T) {
			var want []told
			load(t, filepath.Join(casesFolder, kind+".answers.yaml"), &want)
			compare(t, known[kind], ask(t, file, send), want)
		})
	}
}

// differences are reasons why an answer of ours is not stock's, by kind and case.
func differences(t *testing.T) map[string]map[string]string {
	known := map[string]map[string]string{}
	load(t, filepath.Join(casesFolder, "differences.yaml"), &known)
	return known
}

func compare(t *testing.T, known map[string]string, got, want []told) {
	recorded := map[string]told{}
	for _, a := range want {
		recorded[a.Case] = a
	}
	for _, a := range got {
		expected, ok := recorded[a.Case]
		if !ok {
			t.Errorf("%s: stock's answer is not recorded", a.Case)
			continue
		}
		same := reflect.DeepEqual(plain(t, a), plain(t, expected))
		if reason := known[a.Case]; reason != "" {
			if same {
				t.Errorf("%s: listed as different (%s), but it is not", a.Case, reason)
			}
			continue
		}
		if !same {
			t.Errorf("%s\n ours: %s\nstock: %s", a.Case, line(a), line(expected))
		}
	}
}

// plain brings both sides to what YAML makes of them.
func plain(t *testing.T, a told) any {
	data, err := yaml.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func line(a told) string {
	a.Case = ""
	data, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func load(t *testing.T, file string, into any) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func recordAnswers(t *testing.T, file string, send sender) {
	data, err := yaml.Marshal(ask(t, file, send))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strings.Replace(file, ".cases.", ".answers.", 1), data, 0o644); err != nil { //nolint:gosec // test data
		t.Fatal(err)
	}
}

func stock(t *testing.T, kubeconfig string) sender {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return func(method, path, body string) answer {
		r, err := http.NewRequestWithContext(t.Context(), method, config.Host+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/yaml")
		r.Header.Set("Accept", "application/json")
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var buffer bytes.Buffer
		if _, err := buffer.ReadFrom(response.Body); err != nil {
			t.Fatal(err)
		}
		return answer{Code: response.StatusCode, Header: response.Header, Body: buffer.Bytes()}
	}
}

// ask sends every case of a file.
func ask(t *testing.T, file string, send sender) []told {
	var c cases
	load(t, file, &c)
	var all []told
	for _, change := range append([]map[string]any{{}}, c.Create...) {
		a := tell("create", change, send(http.MethodPost, c.Path+"?dryRun=All", changed(t, c.Base, change)))
		all = append(all, a)
	}
	if len(c.Update) == 0 {
		return all
	}
	object := c.Path + "/" + c.Base["metadata"].(map[string]any)["name"].(string)
	if a := send(http.MethodPost, c.Path, changed(t, c.Base, nil)); a.Code != http.StatusCreated {
		t.Fatalf("create the object to update: %s", a.Body)
	}
	defer send(http.MethodDelete, object+"?gracePeriodSeconds=0", "")
	for _, change := range c.Update {
		a := tell("update", change, update(t, object, change, send))
		a.Object = nil // controllers have touched stock's
		all = append(all, a)
	}
	return all
}

// update sends the present object with a change; once more when a controller was faster.
func update(t *testing.T, object string, change map[string]any, send sender) answer {
	for {
		var present map[string]any
		if err := json.Unmarshal(send(http.MethodGet, object, "").Body, &present); err != nil {
			t.Fatal(err)
		}
		a := send(http.MethodPut, object+"?dryRun=All", changed(t, present, change))
		if a.Code != http.StatusConflict || !strings.Contains(a.status().Message, "has been modified") || change["metadata/resourceVersion"] != nil {
			return a
		}
	}
}

// changed returns the object with the changes, as JSON.
func changed(t *testing.T, object map[string]any, change map[string]any) string {
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(change)) {
		tree = set(tree, strings.Split(path, "/"), change[path])
	}
	if data, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// set a field; ~1 in a name is a slash, a number an index (one behind the last appends).
func set(tree any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	name := strings.ReplaceAll(path[0], "~1", "/")
	if list, ok := tree.([]any); ok {
		i, err := strconv.Atoi(name)
		if err != nil {
			panic(fmt.Sprintf("%s is no index", name))
		}
		if i == len(list) {
			return append(list, set(nil, path[1:], value))
		}
		list[i] = set(list[i], path[1:], value)
		return list
	}
	fields, ok := tree.(map[string]any)
	if !ok {
		fields = map[string]any{}
	}
	if len(path) == 1 && value == nil {
		delete(fields, name)
		return fields
	}
	fields[name] = set(fields[name], path[1:], value)
	return fields
}

func tell(verb string, change map[string]any, a answer) told {
	text, _ := json.Marshal(change)
	out := told{Case: verb + " " + string(text), Code: a.Code, Warnings: a.warnings()}
	if a.Code < 300 {
		var object map[string]any
		if json.Unmarshal(a.Body, &object) == nil {
			out.Object = masked(object)
		}
		return out
	}
	s := a.status()
	out.Reason, out.Message = s.Reason, mask(s.Message)
	if s.Details != nil {
		out.Causes = s.Details.Causes
		for i := range out.Causes {
			out.Causes[i].Message = mask(out.Causes[i].Message)
		}
	}
	return out
}
