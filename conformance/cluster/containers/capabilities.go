package containers

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
)

// lastCapability is CAP_CHECKPOINT_RESTORE; a bounding set that holds all up to it can be privileged.
const lastCapability = 40

// names of the capabilities that Docker Engine 20.10 knows, by number; empty where it does not.
var names = [lastCapability + 1]string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE",
	"SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE",
	"AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "", "", "",
}

// boundingSet reads which capabilities this machine can hand out (CapBnd of /proc/self/status; proc(5)).
func boundingSet() (uint64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the capability bounding set: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "CapBnd:"); ok {
			return strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
		}
	}
	return 0, fmt.Errorf("read the capability bounding set: /proc/self/status has no CapBnd")
}

// asNode gives a container what a node needs: --privileged where the machine can, else every capability it has, one by one,
// without confinement and with all devices.
func asNode(h *container.HostConfig, caps uint64) {
	h.Tmpfs = map[string]string{"/run": "", "/tmp": "exec"}
	full := uint64(1)<<(lastCapability+1) - 1
	if caps&full == full {
		h.Privileged = true
		return
	}
	for n, name := range names {
		if name != "" && caps>>n&1 == 1 {
			h.CapAdd = append(h.CapAdd, name)
		}
	}
	h.SecurityOpt = []string{"seccomp=unconfined", "apparmor=unconfined"}
	h.MaskedPaths, h.ReadonlyPaths = []string{}, []string{}
	h.DeviceCgroupRules = []string{"a *:* rwm"}
}
