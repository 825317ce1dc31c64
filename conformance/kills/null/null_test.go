package null

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/kills/plane"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// share of each limit that specs get on targets that they are to fail on.
const share = 0.2

// TestMain lets this executable be a check of one target, and the shards of such a check, as plumb is.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || (os.Args[1] != "null-check" && os.Args[1] != "null-shard") {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := judge
	if os.Args[1] == "null-shard" {
		do = shard
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// flag is the word behind a flag of this process.
func flag(name string) string { return os.Args[slices.Index(os.Args, "--"+name)+1] }

// file is a cluster that is a kubeconfig and nothing more; unlike an existing cluster it is not asked anything before the specs run.
type file struct {
	kubeconfig []byte
}

func (file) Name() string                  { return "null target" }
func (f file) Kubeconfig() []byte          { return f.kubeconfig }
func (file) Nodes() []cluster.Node         { return nil }
func (file) APIServers() map[string]string { return nil }
func (file) BalancerPort() string          { return "" }
func (file) Control() cluster.Control      { return nil }

func open() (file, error) {
	data, err := os.ReadFile(flag("kubeconfig"))
	return file{kubeconfig: data}, err
}

// judge checks the profile api and leaves the verdict in the report folder.
func judge(ctx context.Context) error {
	c, err := open()
	if err != nil {
		return err
	}
	run := check.Run{
		Target: c, Profiles: []string{"api"}, Procs: 3, Dir: flag("dir"), Out: os.Stdout, Grace: time.Second,
		ShardArgs: []string{"null-shard", "--hurry", flag("hurry")},
	}
	v, err := run.Do(ctx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(run.Dir, "verdict.json"), data, 0o600)
}

func shard(ctx context.Context) error {
	if flag("hurry") == "yes" {
		budget.Hurry(share)
	}
	c, err := open()
	if err != nil {
		return err
	}
	t, err := target.New(c, "docker.io/plumb", flag("shard-name"))
	if err != nil {
		return err
	}
	return check.Shard{Target: t, IDs: strings.Split(flag("shard-ids"), ","), Report: flag("shard-report")}.Run(ctx)
}

// run judges what stands at a URL, in a process of its own: Ginkgo tells of its specs once in a process.
func run(t *testing.T, p *plane.Plane, url, hurry string) verdict.Verdict {
	t.Helper()
	dir := t.TempDir()
	c, err := p.Target(url)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, c.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "null-check", "--kubeconfig", kubeconfig, "--dir", dir, "--hurry", hurry)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var v verdict.Verdict
	data, err := os.ReadFile(filepath.Join(dir, "verdict.json"))
	if err := errors.Join(err, json.Unmarshal(data, &v)); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTheSuiteFailsOnNullTargets proves that every spec of the profile api can fail, and that it passes when nothing is tampered with.
func TestTheSuiteFailsOnNullTargets(t *testing.T) {
	p := start(t)
	all, err := verdict.Of("api")
	if err != nil {
		t.Fatal(err)
	}
	honest := Target{Name: "untampered", tamper: untampered}
	t.Run("targets", func(t *testing.T) {
		for _, null := range append(Targets(), honest) {
			t.Run(null.Name, func(t *testing.T) {
				t.Parallel()
				url, err := null.Serve(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				if null.Name == honest.Name {
					passes(t, run(t, p, url, "no"))
					return
				}
				fails(t, null, all, run(t, p, url, "yes"))
			})
		}
	})
}

// passes shows that failures elsewhere are the tampering's, not the plane's or the proxy's.
func passes(t *testing.T, v verdict.Verdict) {
	t.Helper()
	t.Log(v.Text)
	if v.Exit == verdict.ExitConformant {
		return
	}
	for _, r := range v.Results {
		if r.Outcome != verdict.Passed {
			t.Errorf("%s %s: %s", r.ID, r.Outcome, r.Message)
		}
	}
}

func fails(t *testing.T, null Target, all []verdict.Requirement, v verdict.Verdict) {
	t.Helper()
	t.Log(v.Text)
	if v.Exit != verdict.ExitFailed {
		t.Errorf("the verdict is %q, want NOT CONFORMANT", v.Text)
	}
	wanted := null.Fail
	if wanted == nil {
		for _, r := range all {
			wanted = append(wanted, r.ID)
		}
	}
	for _, r := range v.Results {
		if r.Outcome != verdict.Failed && slices.Contains(wanted, r.ID) {
			t.Errorf("%s %s: it must fail where %s", r.ID, r.Outcome, strings.ToLower(null.Bug))
		}
		if r.Outcome == verdict.Failed {
			t.Logf("%s %.1fs %s", r.ID, r.Seconds, strings.Split(r.Message, "\n")[0])
		}
	}
}

// start builds our control plane and runs it; PLUMB_ASSETS names a folder with other executables: etcd, kube-apiserver, kube-controller-manager.
func start(t *testing.T) *plane.Plane {
	t.Helper()
	programs := plane.Executables{}
	for _, component := range []string{plane.Etcd, plane.APIServer, plane.Controllers} {
		programs[component] = filepath.Join(os.Getenv("PLUMB_ASSETS"), component)
	}
	if os.Getenv("PLUMB_ASSETS") == "" {
		programs = plane.Of(build(t))
	}
	p, err := plane.Start(t.Context(), t.TempDir(), programs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// build is our control, made as it is for images: what is made already is not made again.
func build(t *testing.T) string {
	t.Helper()
	const root = "../../.."
	command := exec.CommandContext(t.Context(), "go", "run", "./fixtures/build", "control")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build control: %v: %s", err, out)
	}
	path, err := filepath.Abs(root + "/.build/bin/control")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
