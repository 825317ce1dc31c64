// Package process holds the kubelet's own process, and the machine that it begins on, to the configuration: the score by which the kernel picks
// victims, open files, swap, and kernel settings that containers rest on.
//
// The kubelet asks it once, before it touches anything else. It changes nothing but its own process.
package process

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Adjust gives this process its score and its limit of open files. A machine that does not let it is told of and lived with, as stock does.
func Adjust(oomScore int32, maxFiles int64, logger *slog.Logger) {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(int(oomScore))), 0o644); err != nil {
		logger.Info("oomScoreAdj is not applied", "score", oomScore, "err", err)
	}
	limit := unix.Rlimit{Cur: uint64(maxFiles), Max: uint64(maxFiles)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		logger.Info("maxOpenFiles is not applied", "files", maxFiles, "err", err)
	}
}

// NoSwap is an error when the machine swaps; swaps is /proc/swaps.
func NoSwap(swaps string) error {
	data, err := os.ReadFile(swaps)
	if errors.Is(err, os.ErrNotExist) {
		return nil // a kernel without swap
	}
	if err != nil {
		return fmt.Errorf("find out about swap: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) > 1 { // the first names the columns
		return fmt.Errorf("failSwapOn: this machine swaps (%s): switch swap off, or say failSwapOn: false", strings.Fields(lines[1])[0])
	}
	return nil
}

// kernel settings that stock's kubelet wants: what runs out of memory is killed and not refused, and a kernel that has failed restarts.
var kernel = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// KernelDefaults is an error that names each setting that differs; root is /proc/sys.
func KernelDefaults(root string) error {
	var errs []error
	for name, want := range kernel {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			errs = append(errs, fmt.Errorf("protectKernelDefaults: %w", err))
			continue
		}
		if got := strings.TrimSpace(string(data)); got != want {
			errs = append(errs, fmt.Errorf("protectKernelDefaults: %s is %s: set it to %s, or say protectKernelDefaults: false", strings.ReplaceAll(name, "/", "."), got, want))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
