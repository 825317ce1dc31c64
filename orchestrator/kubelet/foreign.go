package kubelet

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"
)

// foreign are stock's flags that no field of the file stands for, and that this kubelet has no use for: each is taken with the values that ask for
// nothing, and refused with others.
type foreign map[string]*string

const anyValue = "*"

var foreignFlags = []struct {
	name, standard string
	takes          []string
	why            string
}{
	{"bootstrap-kubeconfig", "", nil, "a node does not join by a token: give --kubeconfig a file that exists"},
	{"cloud-provider", "", nil, "no cloud is asked for the node's addresses: give --node-ip, or leave it out"},
	{"config-dir", "", nil, "there is one file of configuration: merge them into that of --config"},
	{"exit-on-lock-contention", "false", []string{"false"}, "there is no lock" + orLeaveOut},
	{"experimental-allocatable-ignore-eviction", "false", []string{"false"}, "what is behind an eviction threshold is not promised to pods" + orLeaveOut},
	{"experimental-mounter-path", "", nil, "volumes are mounted by system calls" + orLeaveOut},
	{"housekeeping-interval", "10s", []string{anyValue}, ""}, // nothing is measured before it is asked for
	{"image-credential-provider-bin-dir", "", nil, "no program of the node is run: use imagePullSecrets"},
	{"image-credential-provider-config", "", nil, "no program of the node is run: use imagePullSecrets"},
	{"lock-file", "", nil, "there is no lock" + orLeaveOut},
	{"maximum-dead-containers", "-1", []string{"-1"}, "the last start of each container is kept" + orLeaveOut},
	{"maximum-dead-containers-per-container", "1", []string{"1"}, "the last start of each container is kept" + orLeaveOut},
	{"minimum-container-ttl-duration", "0s", []string{"0s", "0"}, "the last start of each container is kept" + orLeaveOut},
	{"runtime-cgroups", "", []string{anyValue}, ""}, // where the runtime's own use is measured, which nobody asks for
}

const orLeaveOut = "; leave it out"

func (f *foreign) add(fs *pflag.FlagSet) {
	*f = foreign{}
	for _, one := range foreignFlags {
		value := fs.String(one.name, one.standard, "stock's, taken where it asks for nothing")
		(*f)[one.name] = value
		if one.standard == "false" {
			fs.Lookup(one.name).NoOptDefVal = "true"
		}
	}
}

// check refuses what asks for something. A bootstrap file says nothing where kubeconfig is there, as for stock.
func (f foreign) check(kubeconfig string) error {
	var errs []error
	for _, one := range foreignFlags {
		value := *f[one.name]
		if value == "" || slices.Contains(one.takes, anyValue) || slices.Contains(one.takes, value) {
			continue
		}
		if _, err := os.Stat(kubeconfig); one.name == "bootstrap-kubeconfig" && err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("--%s=%s is not supported: %s", one.name, value, one.why))
	}
	return errors.Join(errs...)
}
