package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// ran runs plumb and returns its exit code, and what it printed: the error as main prints it.
func ran(t *testing.T, args ...string) (code int, out, problem string) {
	t.Helper()
	var stdout bytes.Buffer
	c := newCommand()
	c.SetArgs(args)
	c.SetOut(&stdout)
	stderr := captureStderr(t, func() { code = exitCode(t.Context(), c) })
	return code, stdout.String(), stderr
}

func captureStderr(t *testing.T, do func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = file
	do()
	os.Stderr = old
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const nowhere = `apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: x, user: {}}]
`

func TestBadInputIsOneLineAndTheRightExitCode(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unreachable := put("nowhere", nowhere)
	for name, row := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an unreachable target":          {[]string{"check", "--kubeconfig", unreachable}, verdict.ExitInconclusive, "the cluster at https://127.0.0.1:1 does not answer"},
		"a kubeconfig that is not there": {[]string{"check", "--kubeconfig", dir + "/none"}, verdict.ExitInconclusive, "--kubeconfig: stat"},
		"a typo in the settings":         {[]string{"check", "--kubeconfig", unreachable, "--settings", put("typo", "# pace\nleaseDurations: 15s\n")}, verdict.ExitUsage, "typo:2: leaseDurations: no such setting; there are [nodeMonitorGracePeriod"},
		"a setting that is no time":      {[]string{"check", "--settings", put("soon", "leaseDuration: soon\n")}, verdict.ExitUsage, `soon:1: leaseDuration: "soon" is no duration above zero, such as 15s`},
		"settings that are not there":    {[]string{"check", "--settings", dir + "/none"}, verdict.ExitUsage, "--settings: open"},
		"a shard beyond the last":        {[]string{"check", "--shard", "3/2"}, verdict.ExitUsage, "--shard 3/2: want i/n"},
		"a component that there is not":  {[]string{"check", "--component", "kube-schedular=" + unreachable}, verdict.ExitUsage, "no such component; there are etcd, kube-apiserver"},
		"a component without a program":  {[]string{"check", "--component", "kubelet=" + dir + "/none"}, verdict.ExitUsage, "there is no such file"},
		"a component that is a folder":   {[]string{"check", "--component", "kubelet=" + dir}, verdict.ExitUsage, "that is no file"},
		"a component that cannot be run": {[]string{"check", "--component", "kubelet=" + unreachable}, verdict.ExitUsage, "not executable: chmod +x it"},
		"a component of another target":  {[]string{"check", "--component", "kubelet=" + unreachable, "--cluster", "x"}, verdict.ExitUsage, "leave out --kubeconfig and --cluster"},
		"a context that there is not":    {[]string{"check", "--kubeconfig", unreachable, "--context", "y"}, verdict.ExitInconclusive, "--context y: there is no such context in "},
		"a context of a kept cluster":    {[]string{"check", "--context", "x", "--cluster", "x"}, verdict.ExitUsage, "--context and --cluster name two targets"},
		"no time at all":                 {[]string{"check", "--timeout", "0s"}, verdict.ExitUsage, "--timeout 0s: must be above zero"},
		"two targets":                    {[]string{"check", "--kubeconfig", unreachable, "--cluster", "x"}, verdict.ExitUsage, "name two targets"},
		"a node control that is none":    {[]string{"check", "--kubeconfig", unreachable, "--node-control", "ssh"}, verdict.ExitUsage, "--node-control ssh: want docker or exec:SCRIPT"},
		"a node control without script":  {[]string{"check", "--kubeconfig", unreachable, "--node-control", "exec:"}, verdict.ExitUsage, "--node-control exec:: want docker or exec:SCRIPT"},
		"node control of a booted one":   {[]string{"check", "--node-control", "docker"}, verdict.ExitUsage, "it is for the cluster of a --kubeconfig"},
		"a balancer without control":     {[]string{"check", "--kubeconfig", unreachable, "--balancer", "x"}, verdict.ExitUsage, "--balancer x: it is for --node-control"},
		"an unknown profile":             {[]string{"check", "--list", "--profile", "nonesuch"}, verdict.ExitUsage, "--profile nonesuch: there is no such profile"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, problem := ran(t, row.args...)
			if code != row.code || !strings.Contains(problem, row.want) || strings.Count(problem, "\n") != 1 {
				t.Errorf("exit %d, want %d; want one line with %q, have\n%s", code, row.code, row.want, problem)
			}
		})
	}
}
