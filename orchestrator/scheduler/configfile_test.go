package scheduler

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	schedulerv1 "k8s.io/kube-scheduler/config/v1"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/queue"
)

func TestEveryFieldOfTheConfigurationIsHonouredOrRefused(t *testing.T) {
	for _, wrong := range configuration.Unaccounted(reflect.TypeFor[schedulerv1.KubeSchedulerConfiguration]()) {
		t.Error(wrong)
	}
}

// read returns what the command makes of a file and flags.
func read(t *testing.T, file string, args ...string) (*options, error) {
	t.Helper()
	o := &options{}
	fs := pflag.NewFlagSet("kube-scheduler", pflag.ContinueOnError)
	o.add(fs)
	if err := fs.Parse(append(args, "--config="+file)); err != nil {
		t.Fatal(err)
	}
	return o, o.readFile(fs)
}

// What stock's kube-scheduler --write-config-to writes.
func TestStocksDefaultFileIsTaken(t *testing.T) {
	o, err := read(t, "testdata/stock.yaml")
	if err != nil || !slices.Equal(o.names, []string{"default-scheduler"}) {
		t.Errorf("%q, %v", o.names, err)
	}
}

func TestConfigurationFile(t *testing.T) {
	tests := []struct {
		name, file, fails string
		check             func(o *options) bool
	}{
		{"two profiles", "profiles: [{schedulerName: a}, {schedulerName: b}]", "", func(o *options) bool { return slices.Equal(o.names, []string{"a", "b"}) }},
		{"one profile of the default name", "profiles: [{}]", "", func(o *options) bool { return slices.Equal(o.names, []string{"default-scheduler"}) }},
		{"two, one of no name", "profiles: [{schedulerName: a}, {}]", "profiles[1].schedulerName", nil},
		{"two of one name", "profiles: [{schedulerName: a}, {schedulerName: a}]", "profiles[1].schedulerName", nil},
		{"pauses", "podInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 3", "", func(o *options) bool {
			return o.pauses == queue.Pauses{First: 2 * time.Second, Longest: 3 * time.Second}
		}},
		{"pauses that shrink", "podInitialBackoffSeconds: 20", "podMaxBackoffSeconds", nil},
		{"the election", "leaderElection: {leaderElect: false, leaseDuration: 3s, resourceName: mine}", "", func(o *options) bool {
			return !o.election.Elect && o.election.LeaseDuration == 3*time.Second && o.election.ResourceName == "mine" && o.election.ResourceNamespace == "kube-system"
		}},
		{"a flag wins", "leaderElection: {retryPeriod: 3s}", "", func(o *options) bool { return o.election.RetryPeriod == time.Second }},
		{"an extender", "extenders: [{urlPrefix: http://x}]", "line 3: extenders: ", nil},
		{"fewer nodes", "percentageOfNodesToScore: 30", "line 3: percentageOfNodesToScore: 30", nil},
		{"a plugin off", "profiles:\n- plugins: {score: {disabled: [{name: \"*\"}]}}", "line 4: profiles[].plugins.score: ", nil},
		{"other arguments", "profiles:\n- pluginConfig:\n  - name: InterPodAffinity\n    args: {hardPodAffinityWeight: 9}", "line 6: profiles[].pluginConfig[].args: ", nil},
		{"an unknown field", "extender: []", "extender", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "scheduler.yaml")
			head := "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
			if err := os.WriteFile(file, []byte(head+test.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := read(t, file, "--leader-elect-retry-period=1s")
			switch {
			case test.fails != "":
				if err == nil || !strings.Contains(err.Error(), test.fails) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error: %v", err)
				}
			case err != nil || !test.check(o):
				t.Errorf("%+v %+v %v", o, o.election, err)
			}
		})
	}
}
