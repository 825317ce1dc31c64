package leader

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// Options are the election flags of a component.
type Options struct {
	// Elect is false for a component that leads alone.
	Elect                                     bool
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
	ResourceName, ResourceNamespace           string
}

// AddFlags registers --leader-elect and its settings, with stock's defaults.
func AddFlags(fs *pflag.FlagSet, resourceName string) *Options {
	o := &Options{}
	fs.BoolVar(&o.Elect, "leader-elect", true, "stand for election before doing anything; false leads alone")
	fs.DurationVar(&o.LeaseDuration, "leader-elect-lease-duration", 15*time.Second, "how long others wait after a leader's last renewal")
	fs.DurationVar(&o.RenewDeadline, "leader-elect-renew-deadline", 10*time.Second, "how long after its last renewal a leader goes on")
	fs.DurationVar(&o.RetryPeriod, "leader-elect-retry-period", 2*time.Second, "time between renewals")
	fs.StringVar(&o.ResourceName, "leader-elect-resource-name", resourceName, "name of the Lease")
	fs.StringVar(&o.ResourceNamespace, "leader-elect-resource-namespace", "kube-system", "namespace of the Lease")
	fs.String("leader-elect-resource-lock", "leases", "accepted, without effect: only Leases are used")
	return o
}

// Config fills in what the flags say; the caller adds Leases and Logger.
func (o *Options) Config() (Config, error) {
	host, err := os.Hostname()
	if err != nil {
		return Config{}, fmt.Errorf("leader election identity: %w", err)
	}
	return Config{
		Namespace: o.ResourceNamespace, Name: o.ResourceName, Identity: host + "_" + string(uuid.NewUUID()),
		LeaseDuration: o.LeaseDuration, RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod,
	}, nil
}
