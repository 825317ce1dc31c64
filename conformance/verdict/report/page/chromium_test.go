package page

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// browser is a headless Chromium that shows one page, driven through a pair of pipes by the protocol of its developer tools. It is one goroutine's:
// each command is answered before the next is sent.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	session string
	sent    int
	// seen are the events so far.
	seen []message
}

// message is a command, its answer, or an event, which has a method and no ID.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// browserTime is how long all tests in a browser may take on a busy machine.
const browserTime = 8 * time.Minute

// startBrowser starts what is installed; where nothing is, the test is skipped: the tests of the markup have run all the same.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium or Chrome is on the PATH: what only a browser can show of the page was not tested (on Debian: apt-get install chromium)")
	}
	profile, err := os.MkdirTemp("", "plumb-browser-")
	if err != nil {
		t.Fatal(err)
	}
	commands, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	c.ExtraFiles = []*os.File{commands, answers}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	commands.Close()
	answers.Close()
	limit := time.AfterFunc(browserTime, func() { _ = c.Process.Kill() })
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		b.session = ""
		_, _ = b.ask("Browser.close", nil)
		to.Close()
		_ = c.Wait()
		from.Close()
		limit.Stop()
		_ = os.RemoveAll(profile) // a helper of the browser may still be at work there
	})
	b.attach()
	return b
}

// attach makes the page that is shown; what it asks of the network, says on its console and what it refuses is heard from here on.
func (b *browser) attach() {
	b.t.Helper()
	var target struct{ TargetID string }
	b.into(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	var session struct{ SessionID string }
	b.into(&session, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.do(domain+".enable", nil)
	}
}

// ask sends a command and returns its answer; events that come before it are kept.
func (b *browser) ask(method string, params any) (json.RawMessage, error) {
	b.sent++
	data, err := json.Marshal(message{ID: b.sent, Session: b.session, Method: method, Params: params})
	if err != nil {
		return nil, err
	}
	if _, err := b.to.Write(append(data, 0)); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	for {
		m, err := b.read()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: the browser is gone: %w", method, err)
		case m.ID != b.sent:
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		default:
			return m.Result, nil
		}
	}
}

func (b *browser) read() (m message, err error) {
	data, err := b.from.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(bytes.TrimSuffix(data, []byte{0}), &m); err != nil {
		return m, err
	}
	if m.Method != "" {
		b.seen = append(b.seen, m)
	}
	return m, nil
}

func (b *browser) do(method string, params any) json.RawMessage {
	b.t.Helper()
	answer, err := b.ask(method, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

func (b *browser) into(result any, method string, params any) {
	b.t.Helper()
	if err := json.Unmarshal(b.do(method, params), result); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

// open shows a file and returns once it is loaded.
func (b *browser) open(path string) {
	b.t.Helper()
	b.seen = nil
	b.do("Page.navigate", map[string]any{"url": "file://" + path})
	for {
		for _, m := range b.seen {
			if m.Method == "Page.loadEventFired" {
				return
			}
		}
		if _, err := b.read(); err != nil {
			b.t.Fatalf("open %s: %v", path, err)
		}
	}
}

// screen sets how wide and high the screen is, and whether people want it dark.
func (b *browser) screen(width, height int, scheme string) {
	b.t.Helper()
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	b.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
}

// value is that of an expression in the page.
func value[T any](b *browser, expression string) T {
	b.t.Helper()
	var got struct {
		Result           struct{ Value T }
		ExceptionDetails json.RawMessage
	}
	b.into(&got, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return got.Result.Value
}

// press strikes a key; text is what it types.
func (b *browser) press(key, text string) {
	b.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, " ": 32}
	event := map[string]any{"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": codes[key]}
	b.do("Input.dispatchKeyEvent", event)
	event["type"] = "keyUp"
	delete(event, "text")
	b.do("Input.dispatchKeyEvent", event)
}

// picture is a screenshot from the top of the page; a folder in PLUMB_SCREENSHOTS keeps it for people to look at.
func (b *browser) picture(name string, width, height int) []byte {
	b.t.Helper()
	var got struct{ Data string }
	b.into(&got, "Page.captureScreenshot", map[string]any{"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1}, "captureBeyondViewport": true})
	data, err := base64.StdEncoding.DecodeString(got.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if dir := os.Getenv("PLUMB_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return data
}
