package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// unfold opens everything that can be opened.
const unfold = `document.querySelectorAll("details").forEach((d) => d.open = true)`

// contrasts returns what is written in a colour that is too near to its ground, by WCAG 2's formula and its level AA.
const contrasts = `(() => {
  const read = (c) => c.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode());) {
    const e = n.parentElement, style = getComputedStyle(e);
    if (!n.data.trim() || !e.getClientRects().length || e.closest("title, script, style")) continue;
    const written = e.ownerSVGElement ? style.fill : style.color;
    const [a, b] = [light(read(written)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const large = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) poor.add(n.data.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return [...poor];
})()`

func TestPageInABrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, written(t, rich()), 0o644); err != nil {
		t.Fatal(err)
	}
	b := startBrowser(t)
	b.screen(1280, 900, "light")
	b.open(path)
	for _, row := range []struct {
		name string
		test func(*testing.T, *browser)
	}{
		{"the keyboard reaches everything", keyboard},
		{"a link unfolds what it leads to", links},
		{"it fits every screen in light and dark", screens},
		{"nothing leaves it", quiet},
	} {
		t.Run(row.name, func(t *testing.T) {
			own := *b
			own.t = t
			row.test(t, &own)
			b.sent, b.seen = own.sent, own.seen
		})
	}
	t.Run("without script all is there but the filter", func(t *testing.T) {
		own := *b
		own.t = t
		own.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
		own.open(path)
		if value[bool](&own, `document.getElementById("filter").checkVisibility()`) || value[int](&own, `document.querySelectorAll(".requirement > details").length`) != len(rich().Results) {
			t.Error("the filter shows, or requirements lack")
		}
		b.sent = own.sent
	})
}

func keyboard(t *testing.T, b *browser) {
	const active, ring = `document.activeElement.id || document.activeElement.tagName`, `((s) => s.outlineStyle === "none" ? 0 : parseFloat(s.outlineWidth))(getComputedStyle(document.activeElement))`
	tab := func(most int, until string) {
		t.Helper()
		for range most {
			b.press("Tab", "")
			if value[string](b, active) == until {
				if value[float64](b, ring) < 2 {
					t.Errorf("%s has no ring that shows the focus", until)
				}
				return
			}
		}
		t.Fatalf("Tab did not reach %s in %d steps, but %s", until, most, value[string](b, active))
	}
	b.press("Tab", "")
	if got := value[string](b, `document.activeElement.getAttribute("href")`); got != "#main" {
		t.Errorf("the first Tab leads to %q, want the link that skips", got)
	}
	tab(80, "filter-text")
	for _, letter := range "ha-015 paused" {
		b.press(string(letter), string(letter))
	}
	const shown = `[...document.querySelectorAll(".requirement")].filter((r) => r.checkVisibility()).map((r) => r.firstElementChild.id).join()`
	if got := value[string](b, shown); got != "HA-015" {
		t.Errorf("the filter for HA-015 shows %s", got)
	}
	manifest, err := verdict.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("1 of %d are shown.", len(manifest))
	if got := value[string](b, `document.getElementById("filter-count").textContent`); got != want {
		t.Errorf("the filter says %q", got)
	}
	tab(12, "SUMMARY")
	b.press("Enter", "\r")
	if !value[bool](b, `document.getElementById("HA-015").open`) {
		t.Error("Enter does not unfold the requirement")
	}
	value[any](b, `document.querySelector("[value=failed]").focus()`)
	b.press(" ", " ")
	if got := value[string](b, shown); got != "" {
		t.Errorf("without failed ones the filter still shows %s", got)
	}
}

func links(t *testing.T, b *browser) {
	value[any](b, `new Promise((done) => { addEventListener("hashchange", () => setTimeout(done), {once: true}); location.hash = "#HA-009"; })`)
	if !value[bool](b, `document.getElementById("HA-009").open && document.getElementById("HA-009").checkVisibility()`) {
		t.Error("the link to HA-009 does not show and unfold it")
	}
	if got := value[int](b, `[...document.querySelectorAll(".requirement")].filter((r) => !r.hidden).length`); got != len(rich().Results) {
		t.Errorf("a link to what was filtered out leaves %d shown", got)
	}
}

func screens(t *testing.T, b *browser) {
	value[any](b, unfold)
	grounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{360, 1280} {
			b.screen(width, 900, scheme)
			if got := value[int](b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%d wide, %s: the page is %d wide", width, scheme, got)
			}
			picture, err := png.Decode(bytes.NewReader(b.picture(scheme+map[int]string{360: "-phone", 1280: "-desk"}[width], width, 4000)))
			if err != nil || picture.Bounds().Dx() != width {
				t.Errorf("%d wide, %s: the screenshot is %v: %v", width, scheme, picture, err)
			}
		}
		if poor := value[[]string](b, contrasts); len(poor) > 0 {
			t.Errorf("%s: too little contrast: %s", scheme, strings.Join(poor, "; "))
		}
		grounds[scheme] = value[string](b, `getComputedStyle(document.body).backgroundColor`)
	}
	if grounds["light"] != "rgb(245, 246, 248)" || grounds["dark"] != "rgb(14, 17, 22)" {
		t.Errorf("the grounds are %v", grounds)
	}
}

func quiet(t *testing.T, b *browser) {
	for _, m := range b.seen {
		told, err := json.Marshal(m.Params)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains([]string{"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"}, m.Method) {
			t.Errorf("%s: %s", m.Method, told)
		}
		var request struct{ Request struct{ URL string } }
		if m.Method != "Network.requestWillBeSent" {
			continue
		}
		if err := json.Unmarshal(told, &request); err != nil {
			t.Fatal(err)
		}
		if url := request.Request.URL; !strings.HasPrefix(url, "data:") && !strings.HasSuffix(url, "/report.html") {
			t.Errorf("the page asked for %s", url)
		}
	}
	const ask = `new Promise((done) => { addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective), {once: true}); new Image().src = "http://127.0.0.1:9/"; })`
	if got := value[string](b, ask); got != "img-src" {
		t.Errorf("a picture from elsewhere is refused by %q", got)
	}
}
