package kubelet

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/config"
)

func settings(change func(*config.Config)) *config.Config {
	c := &config.Config{}
	off := false
	c.FailSwapOn = &off // whatever the machine of tests has
	if change != nil {
		change(c)
	}
	config.Default(c)
	return c
}

// failCgroupV1 was ignored, and so were the others.
func TestDemandsOnTheMachine(t *testing.T) {
	yes, no := true, false
	for name, row := range map[string]struct {
		change func(*config.Config)
		v2     bool
		says   string
	}{
		"v2":                             {nil, true, ""},
		"v1":                             {nil, false, "failCgroupV1"},
		"v1 that is wanted":              {func(c *config.Config) { c.FailCgroupV1 = &no }, false, ""},
		"v1 kills one by one":            {func(c *config.Config) { c.FailCgroupV1, c.SingleProcessOOMKill = &no, &yes }, false, ""},
		"v1 cannot kill all":             {func(c *config.Config) { c.FailCgroupV1, c.SingleProcessOOMKill = &no, &no }, false, "singleProcessOOMKill"},
		"v2 can kill all, or one by one": {func(c *config.Config) { c.SingleProcessOOMKill = &yes }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := demands(settings(row.change), row.v2)
			if (err == nil) != (row.says == "") || (err != nil && !strings.Contains(err.Error(), row.says)) {
				t.Errorf("%v, want %q", err, row.says)
			}
		})
	}
}

// kubeadm writes systemd whatever the runtime has; the runtime's own word counts.
func TestTheRuntimesCgroupDriverCounts(t *testing.T) {
	for _, row := range []struct {
		runtimes, configured string
		ok                   bool
	}{
		{"cgroupfs", "cgroupfs", true}, {"cgroupfs", "systemd", true}, {"systemd", "systemd", false}, {"systemd", "cgroupfs", false},
		{"", "cgroupfs", true}, {"", "systemd", false},
	} {
		if err := checkDriver(row.runtimes, row.configured); (err == nil) != row.ok {
			t.Errorf("the runtime has %q, configured is %q: %v", row.runtimes, row.configured, err)
		}
	}
}

func TestRatesAreLimitsWhereTheyAreWritten(t *testing.T) {
	five, none := int32(5), int32(0)
	for name, row := range map[string]struct {
		change         func(*config.Config)
		qps, eventsQPS float32
		burst, events  int
		accept         string
	}{
		"nothing is written": {nil, -1, -1, 0, 0, "protobuf,json"},
		"rates":              {func(c *config.Config) { c.KubeAPIQPS, c.EventRecordQPS = &five, &five }, 5, 5, 100, 100, "protobuf,json"},
		"rates and bursts": {func(c *config.Config) {
			c.KubeAPIQPS, c.KubeAPIBurst, c.EventRecordQPS, c.EventBurst = &five, 7, &five, 8
		}, 5, 5, 7, 8, "protobuf,json"},
		"no limit":     {func(c *config.Config) { c.KubeAPIQPS, c.EventRecordQPS = &none, &none }, -1, -1, 0, 0, "protobuf,json"},
		"another type": {func(c *config.Config) { c.ContentType = "application/json" }, -1, -1, 0, 0, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings(row.change)
			api := &rest.Config{QPS: -1}
			api.ContentType, api.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "protobuf,json"
			limitRequests(api, s)
			events := eventsAPI(api, s)
			if api.QPS != row.qps || api.Burst != row.burst || events.QPS != row.eventsQPS || (row.events > 0 && events.Burst != row.events) || api.AcceptContentTypes != row.accept {
				t.Errorf("requests %v/%d, events %v/%d, %s", api.QPS, api.Burst, events.QPS, events.Burst, api.AcceptContentTypes)
			}
		})
	}
}

func TestLoggingIsTheFilesWhereNoFlagIsGiven(t *testing.T) {
	file := settings(func(c *config.Config) { c.Logging.Verbosity, c.Logging.Format = 4, "json" })
	for _, row := range []struct {
		flags     []string
		verbosity int
		format    string
	}{{nil, 4, "json"}, {[]string{"--v=2"}, 2, "json"}, {[]string{"--logging-format=text"}, 4, "text"}} {
		fs := pflag.NewFlagSet("kubelet", pflag.ContinueOnError)
		options := logs.AddFlags(fs)
		if err := fs.Parse(row.flags); err != nil {
			t.Fatal(err)
		}
		logging(fs, options, file)
		if options.Verbosity != row.verbosity || options.Format != row.format {
			t.Errorf("%v: %d, %s", row.flags, options.Verbosity, options.Format)
		}
	}
}
