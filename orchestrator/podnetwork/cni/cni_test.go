package cni

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/link"
)

func run(t *testing.T, env Environment, config string) (int, map[string]any) {
	t.Helper()
	var out bytes.Buffer
	code := Main(env, strings.NewReader(config), &out)
	answer := map[string]any{}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", out.String(), err)
		}
	}
	return code, answer
}

func TestCallsThatCannotBeServed(t *testing.T) {
	folder := t.TempDir()
	config := func(version, more string) string {
		return fmt.Sprintf(`{"cniVersion":%q,"name":"pods","type":"plumb","dataDir":%q%s}`, version, folder, more)
	}
	valid := Environment{Command: "ADD", Container: "c", Interface: "eth0", NetNS: "/proc/self/ns/net"}
	with := func(change func(*Environment)) Environment { e := valid; change(&e); return e }
	tests := []struct {
		name   string
		env    Environment
		config string
		code   float64
	}{
		{"no JSON", valid, `{`, codeDecode},
		{"a version of the future", valid, config("2.0.0", ""), codeIncompatible},
		{"an unknown command", with(func(e *Environment) { e.Command = "MOVE" }), config("1.1.0", ""), codeInvalidEnvironment},
		{"a container's name with a slash", with(func(e *Environment) { e.Container = "../c" }), config("1.1.0", ""), codeInvalidEnvironment},
		{"an interface's name that is too long", with(func(e *Environment) { e.Interface = "sixteen-bytes-xx" }), config("1.1.0", ""), codeInvalidEnvironment},
		{"no namespace", with(func(e *Environment) { e.NetNS = "" }), config("1.1.0", ""), codeInvalidEnvironment},
		{"no range", valid, config("1.1.0", ""), codeInvalidConfig},
		{"a full range", valid, config("1.1.0", `,"podCIDRs":["10.1.0.0/31"]`), codeTryLater},
		{"a port out of range", valid, config("1.1.0", `,"podCIDRs":["10.1.0.0/24"],"runtimeConfig":{"portMappings":[{"hostPort":70000,"containerPort":1}]}`), codeInvalidConfig},
		{"status without a range", with(func(e *Environment) { e.Command = "STATUS" }), config("1.1.0", ""), codeUnavailable},
		{"check of what was never added", with(func(e *Environment) { e.Command = "CHECK" }), config("1.1.0", ""), codeFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exit, answer := run(t, test.env, test.config)
			if exit != 1 || answer["code"] != test.code || answer["msg"] == "" {
				t.Errorf("exit %d, %v", exit, answer)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	exit, answer := run(t, Environment{Command: "VERSION"}, `{"cniVersion":"0.4.0"}`)
	if exit != 0 || fmt.Sprint(answer["supportedVersions"]) != "[1.0.0 1.1.0]" {
		t.Errorf("exit %d, %v", exit, answer)
	}
}

// pair makes a node's and a pod's namespace, and leaves the test in the node's. Without the right to do so the test is skipped.
func pair(t *testing.T) (pod string) {
	t.Helper()
	// The thread ends with the test's goroutine, since it is never unlocked; so nothing else runs in these namespaces.
	runtime.LockOSThread()
	inner, err := netns.New()
	if err != nil {
		t.Skipf("no network namespace of my own: %v", err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	outer, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = outer.Close() })
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(inner))
}

func TestALifeOfAPod(t *testing.T) {
	pod := pair(t)
	config := fmt.Sprintf(`{"cniVersion":"1.1.0","name":"pods","type":"plumb","dataDir":%q,"podCIDRs":["10.244.1.0/24","fd00:1::/64"],
		"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"TCP"}]}}`, filepath.Join(t.TempDir(), "state"))
	call := func(command string) Environment {
		return Environment{Command: command, Container: "c1", Interface: "eth0", NetNS: pod}
	}
	for _, attempt := range []string{"first", "again"} {
		exit, answer := run(t, call("ADD"), config)
		if exit != 0 {
			t.Fatalf("%s ADD: %v", attempt, answer)
		}
		if ips := fmt.Sprint(answer["ips"]); !strings.Contains(ips, "10.244.1.2/32") || !strings.Contains(ips, "fd00:1::2/128") {
			t.Errorf("%s ADD gave %s", attempt, ips)
		}
	}
	if exit, answer := run(t, call("CHECK"), config); exit != 0 {
		t.Errorf("CHECK: %v", answer)
	}
	if exit, answer := run(t, Environment{Command: "GC"}, strings.TrimSuffix(config, "}")+`,"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}]}`); exit != 0 {
		t.Errorf("GC: %v", answer)
	}
	if _, err := netlink.LinkByName(link.HostName("c1", "eth0")); err != nil {
		t.Errorf("GC took a valid attachment: %v", err)
	}
	for _, attempt := range []string{"first", "again"} {
		if exit, answer := run(t, call("DEL"), config); exit != 0 {
			t.Errorf("%s DEL: %v", attempt, answer)
		}
	}
	if _, err := netlink.LinkByName(link.HostName("c1", "eth0")); err == nil {
		t.Error("DEL left the link")
	}
	if exit, answer := run(t, call("CHECK"), config); exit == 0 {
		t.Errorf("CHECK after DEL: %v", answer)
	}
}

func TestGCTakesWhatTheRuntimeForgot(t *testing.T) {
	pod := pair(t)
	config := fmt.Sprintf(`{"cniVersion":"1.1.0","name":"pods","type":"plumb","dataDir":%q,"podCIDRs":["10.244.1.0/24"]}`, t.TempDir())
	if exit, answer := run(t, Environment{Command: "ADD", Container: "c1", Interface: "eth0", NetNS: pod}, config); exit != 0 {
		t.Fatalf("ADD: %v", answer)
	}
	if exit, answer := run(t, Environment{Command: "GC"}, config); exit != 0 {
		t.Fatalf("GC: %v", answer)
	}
	if _, err := netlink.LinkByName(link.HostName("c1", "eth0")); err == nil {
		t.Error("GC left the link")
	}
}
