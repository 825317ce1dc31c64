package etcd

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// options are stock etcd's flags, as far as a member of ours needs them.
type options struct {
	embed *embed.Config
	urls  map[string]*urlFlag
	logs  *logs.Options

	initialCluster, initialState, token string
}

// urlFlag is a list of URLs and where it goes.
type urlFlag struct {
	text string
	to   *[]url.URL
}

// How much of the raft log stays in memory: a fifth of etcd's own defaults. A member that is further behind gets the whole data, which are small.
const (
	snapshotCount  = 2000
	catchUpEntries = 1000
)

func newOptions() *options {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = "default", "default.etcd"
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = snapshotCount, catchUpEntries
	return &options{embed: cfg}
}

func (o *options) add(fs *pflag.FlagSet) {
	cfg := o.embed
	fs.StringVar(&cfg.Name, "name", cfg.Name, "name of this member")
	fs.StringVar(&cfg.Dir, "data-dir", cfg.Dir, "where the data are")
	fs.StringVar(&o.initialCluster, "initial-cluster", "", "NAME=PEER-URL of every member of a new cluster")
	fs.StringVar(&o.initialState, "initial-cluster-state", embed.ClusterStateFlagNew, "new or existing")
	fs.StringVar(&o.token, "initial-cluster-token", "etcd-cluster", "keeps clusters with equal URLs apart")
	fs.UintVar(&cfg.TickMs, "heartbeat-interval", cfg.TickMs, "milliseconds between heartbeats")
	fs.UintVar(&cfg.ElectionMs, "election-timeout", cfg.ElectionMs, "milliseconds without a heartbeat before an election")
	fs.Int64Var(&cfg.QuotaBackendBytes, "quota-backend-bytes", cfg.QuotaBackendBytes, "largest size of the data; 0 is etcd's default")
	fs.Uint64Var(&cfg.SnapshotCount, "snapshot-count", cfg.SnapshotCount, "commits between snapshots of the raft log")
	fs.Uint64Var(&cfg.SnapshotCatchUpEntries, "snapshot-catchup-entries", cfg.SnapshotCatchUpEntries, "commits kept behind a snapshot for slow members")
	for _, name := range []string{"watch-progress-notify-interval", "experimental-watch-progress-notify-interval"} {
		fs.DurationVar(&cfg.WatchProgressNotifyInterval, name, cfg.WatchProgressNotifyInterval, "how often quiet watches learn of the newest revision")
	}
	fs.UintVar(&cfg.MaxRequestBytes, "max-request-bytes", cfg.MaxRequestBytes, "largest write")
	o.urls = map[string]*urlFlag{
		"listen-client-urls":          {"http://127.0.0.1:2379", &cfg.ListenClientUrls},
		"advertise-client-urls":       {"http://127.0.0.1:2379", &cfg.AdvertiseClientUrls},
		"listen-peer-urls":            {"http://127.0.0.1:2380", &cfg.ListenPeerUrls},
		"initial-advertise-peer-urls": {"http://127.0.0.1:2380", &cfg.AdvertisePeerUrls},
		"listen-metrics-urls":         {"", &cfg.ListenMetricsUrls},
	}
	for name, u := range o.urls {
		fs.StringVar(&u.text, name, u.text, "comma-separated URLs")
	}
	addTLS(fs, "", &cfg.ClientTLSInfo)
	addTLS(fs, "peer-", &cfg.PeerTLSInfo)
	o.logs = logs.AddFlags(fs)
}

func addTLS(fs *pflag.FlagSet, prefix string, to *transport.TLSInfo) {
	fs.StringVar(&to.CertFile, prefix+"cert-file", "", "serving certificate")
	fs.StringVar(&to.KeyFile, prefix+"key-file", "", "its key")
	fs.StringVar(&to.TrustedCAFile, prefix+"trusted-ca-file", "", "CA of the certificates of those who connect")
	fs.BoolVar(&to.ClientCertAuth, prefix+"client-cert-auth", false, "demand a certificate of those who connect")
}

// complete turns the flags' texts into etcd's configuration.
func (o *options) complete(logger *slog.Logger) error {
	for name, u := range o.urls {
		*u.to = nil
		for _, text := range strings.FieldsFunc(u.text, func(r rune) bool { return r == ',' }) {
			parsed, err := url.Parse(text)
			if err != nil || parsed.Host == "" {
				return fmt.Errorf("--%s=%s: %q is not a URL like https://10.0.0.1:2379", name, u.text, text)
			}
			*u.to = append(*u.to, *parsed)
		}
	}
	o.embed.InitialCluster, o.embed.ClusterState, o.embed.InitialClusterToken = o.initialCluster, o.initialState, o.token
	if o.initialCluster == "" {
		o.embed.InitialCluster = o.embed.InitialClusterFromName(o.embed.Name)
	}
	o.embed.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newBridge(logger))
	if err := o.embed.Validate(); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	return nil
}

// NewCommand is etcd.
func NewCommand() *cobra.Command {
	o := newOptions()
	c := &cobra.Command{
		Use: "etcd", Short: "One member of the cluster's store", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			logger, err := o.logs.Logger("etcd")
			if err != nil {
				return err
			}
			if err := o.complete(logger); err != nil {
				return err
			}
			return Run(c.Context(), Config{Embed: o.embed, Logger: logger})
		},
	}
	o.add(c.Flags())
	return c
}
