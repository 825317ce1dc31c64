package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

func inline(e verdict.Evidence) ([]byte, error) { return []byte(e.Text), nil }

func written(t *testing.T, r *record.Report) []byte {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, r, inline); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

func parsed(t *testing.T, r *record.Report) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(written(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are all of a name, or all when it is empty.
func elements(root *html.Node, name string) (all []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (name == "" || n.Data == name) {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func byID(root *html.Node, id string) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			return n
		}
	}
	return nil
}

func TestEveryRequirementIsThere(t *testing.T) {
	r := rich()
	ids := map[string]string{}
	for _, details := range elements(parsed(t, r), "details") {
		ids[attribute(details, "id")] = text(details)
	}
	for _, result := range r.Results {
		for _, want := range []string{result.ID, plain(result.Outcome), result.Requirement, strings.Join(strings.Fields(clean(result.Message)), " ")} {
			if !strings.Contains(ids[result.ID], want) {
				t.Errorf("%s does not tell %q", result.ID, want)
			}
		}
		for _, e := range result.Evidence {
			if !strings.Contains(ids[result.ID], e.Name) {
				t.Errorf("%s does not show its evidence %s", result.ID, e.Name)
			}
		}
	}
}

func TestWhatDidNotPassComesFirstAndTheWorstOfItAtTheTop(t *testing.T) {
	root := parsed(t, rich())
	var ids []string
	for _, n := range elements(byID(root, "troubled"), "article") {
		ids = append(ids, strings.TrimPrefix(attribute(n, "aria-labelledby"), "trouble-"))
	}
	if want := []string{"API-016", "HA-015", "RESCHED-003", "ROUTE-013", "idle-title"}; !slices.Equal(ids, want) {
		t.Errorf("shown first: %v, want %v", ids, want)
	}
	told := text(byID(root, "troubled"))
	for _, want := range []string{"a create with an unknown field", "Pod api-016/web-0", "NODE-020", "logs", "objects"} {
		if !strings.Contains(told, want) {
			t.Errorf("what did not pass does not tell %q", want)
		}
	}
	conformant := rich()
	for i := range conformant.Results {
		conformant.Results[i].Outcome = verdict.Passed
	}
	if byID(parsed(t, conformant), "troubled") != nil {
		t.Error("there is a section of what did not pass though all passed")
	}
}

func TestEnvironmentIsTold(t *testing.T) {
	r := rich()
	told := text(byID(parsed(t, r), "environment"))
	for _, want := range []string{
		r.Environment.Target.Name, r.Environment.Target.UID, r.Environment.Nodes[4].Name, r.Images[0].Digest, r.Settings[0].Name, r.Settings[0].Source,
		"1793697243", "--config=kind-configs/ha.yaml", r.Manifest, r.Schema, r.Environment.Harness.Version, "33.5 GiB",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the environment does not tell %q", want)
		}
	}
}

func TestBudgetsAreToldWithTheirReasons(t *testing.T) {
	root := parsed(t, rich())
	for _, b := range rich().Budgets {
		if told := text(byID(root, "budgets")); !strings.Contains(told, b.Name) || !strings.Contains(told, b.Why) {
			t.Errorf("budget %s is not told with why", b.Name)
		}
	}
	if told := text(byID(root, "HA-015")); !strings.Contains(told, "exceeded") {
		t.Error("HA-015 does not tell that it exceeded a budget")
	}
}

func TestABigReportIsNotABigPage(t *testing.T) {
	r := rich()
	charts, pods := 0, strings.Repeat("apiVersion: v1\nkind: Pod\n", 10_000)
	for i := range r.Results {
		if r.Results[i].Timeline != nil {
			charts++
		}
		r.Results[i].Evidence = append(r.Results[i].Evidence, verdict.Evidence{Name: "pods", Text: pods})
	}
	if page := written(t, r); len(page) > 3<<20 || charts < 30 {
		t.Errorf("%d bytes for %d requirements with %d timelines", len(page), len(r.Results), charts)
	}
}

func TestEvidenceInFiles(t *testing.T) {
	r := rich()
	calls, _ := json.Marshal([]string{strings.Repeat("call", 9000)})
	r.Results[0].Evidence = []verdict.Evidence{
		{Name: "pods", File: "evidence/API-001-pods.txt.gz", SHA256: strings.Repeat("ab", 32), Bytes: 40_000},
		{Name: "history", File: "evidence/API-001-history.json.gz", SHA256: strings.Repeat("cd", 32), Bytes: int64(len(calls))},
		{Name: "lost", File: "evidence/API-001-lost.txt.gz", SHA256: strings.Repeat("ef", 32), Bytes: 1},
	}
	open := func(e verdict.Evidence) ([]byte, error) {
		switch e.Name {
		case "pods":
			return []byte("first line\n" + strings.Repeat("middle\n", 10_000) + "last line\n"), nil
		case "history":
			return calls, nil
		case "lost":
			return nil, errors.New("it is missing")
		}
		return []byte(e.Text), nil
	}
	var page bytes.Buffer
	if err := Write(&page, r, open); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	told := text(byID(root, r.Results[0].ID))
	for _, want := range []string{"first line", "last line", "left out here", strings.Repeat("ab", 32), "Cannot be shown: it is missing"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not told", want)
		}
	}
	if strings.Contains(told, "callcall") {
		t.Error("the calls of a load are shown as text")
	}
	if !strings.Contains(page.String()+hrefs(root), "./evidence/API-001-history.json.gz") {
		t.Error("no link to the history")
	}
}

func hrefs(root *html.Node) string {
	var all []string
	for _, a := range elements(root, "a") {
		all = append(all, attribute(a, "href"))
	}
	return strings.Join(all, "\n")
}
