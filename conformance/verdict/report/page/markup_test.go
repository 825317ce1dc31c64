package page

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestMarkupIsSound(t *testing.T) {
	root := parsed(t, rich())
	ids := map[string]bool{}
	for _, n := range elements(root, "") {
		id := attribute(n, "id")
		if id != "" && ids[id] {
			t.Errorf("two elements have the ID %s", id)
		}
		ids[id] = true
	}
	for _, n := range elements(root, "") {
		for _, name := range []string{"href", "for", "aria-labelledby"} {
			to := attribute(n, name)
			if name == "href" && !strings.HasPrefix(to, "#") {
				continue
			}
			if to = strings.TrimPrefix(to, "#"); to != "" && !ids[to] {
				t.Errorf("%s of a %s leads to %q, which is not there", name, n.Data, to)
			}
		}
	}
}

func TestPageIsReadableByEverybody(t *testing.T) {
	root := parsed(t, rich())
	for name, want := range map[string]int{"main": 1, "h1": 1, "header": 1, "footer": 1, "nav": 1, "form": 1} {
		if got := len(elements(root, name)); got != want {
			t.Errorf("%d elements %s, want %d", got, name, want)
		}
	}
	if attribute(elements(root, "html")[0], "lang") != "en" || attribute(elements(root, "a")[0], "href") != "#main" {
		t.Error("no language, or the first link does not skip to the content")
	}
	level := 0
	for _, n := range elements(root, "") {
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("heading %q is of level %d below one of %d", text(n), now, level)
			}
			level = int(n.Data[1] - '0')
		}
		if n.Data == "input" && n.Parent.Data != "label" {
			t.Errorf("input %s has no label", attribute(n, "id"))
		}
		if role := attribute(n, "role"); (role == "img" || role == "region") && attribute(n, "aria-label") == "" {
			t.Errorf("a %s has no label", role)
		}
		if n.Data == "svg" && attribute(n, "role") == "" && attribute(n, "aria-hidden") == "" && !inDrawing(n) {
			t.Errorf("an svg is neither described nor hidden: %s", attribute(n, "class"))
		}
		if n.Data == "summary" && text(n) == "" {
			t.Error("a summary says nothing")
		}
	}
}

func inDrawing(n *html.Node) bool {
	for p := range n.Ancestors() {
		if p.Data == "svg" && (attribute(p, "role") == "img" || attribute(p, "aria-hidden") == "true") {
			return true
		}
	}
	return false
}

func TestNothingTheTargetSaysBecomesMarkup(t *testing.T) {
	r := rich()
	r.Environment.Target.Name, r.Environment.Nodes[0].OS, r.Images[0].Name, r.Settings[0].Value = hostile, hostile, hostile, hostile
	r.Run.Flags = append(r.Run.Flags, hostile)
	r.Kept = append(r.Kept, "javascript:alert(1)", "/etc/passwd", "../up", hostile)
	for i := range r.Results {
		one := &r.Results[i]
		one.Message, one.Requirement = hostile, hostile
		for j := range one.Evidence {
			one.Evidence[j].Name, one.Evidence[j].Text = hostile, hostile
		}
		if one.Timeline == nil {
			continue
		}
		for j := range one.Timeline.Marks {
			one.Timeline.Marks[j].Subject, one.Timeline.Marks[j].Text = hostile, hostile
		}
		one.Timeline.Lanes[0].Client, one.Timeline.Spent[0].Subject, one.Timeline.Spent[0].Why = hostile, hostile, hostile
	}
	root := parsed(t, r)
	if n := len(elements(root, "script")); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if len(elements(root, "img")) > 0 || len(elements(root, "iframe")) > 0 {
		t.Error("what the target said is an element")
	}
	for _, n := range elements(root, "") {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
				t.Errorf("a %s has an attribute %s", n.Data, a.Key)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "./") && n.Data != "link" {
				t.Errorf("a link leads to %q", a.Val)
			}
		}
	}
	if told := text(elements(root, "main")[0]); !strings.Contains(told, `<script>alert("x")</script>`) || strings.Contains(told, "\u202e") {
		t.Error("what the target said is not shown as it is")
	}
}

func TestPolicyAllowsTheOwnStyleAndScriptAlone(t *testing.T) {
	root := parsed(t, rich())
	policy := ""
	for _, n := range elements(root, "meta") {
		if attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
	}
	for _, want := range []string{
		"default-src 'none'", "style-src '" + hash(elements(root, "style")[0].FirstChild.Data) + "'", "script-src '" + hash(elements(root, "script")[0].FirstChild.Data) + "'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy is loose: %s", policy)
	}
}
