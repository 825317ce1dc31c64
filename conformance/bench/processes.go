package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a component's process on this machine.
type process struct {
	pid       int
	node      string
	component string
}

// processes finds the components on the nodes of a cluster: processes by that name whose /etc/hostname is a node's.
func (s *side) processes(components ...string) ([]process, error) {
	nodes := map[string]bool{}
	for _, n := range s.nodes {
		nodes[n.Name] = true
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, dir := range dirs {
		p, ok := inspect(dir, components)
		if ok && nodes[p.node] {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no process of %s is seen on this machine: the nodes must be containers here, and the bench must run as root", strings.Join(components, ", "))
	}
	return found, nil
}

// inspect reads what a process is; processes end while one looks, so what cannot be read is not there.
func inspect(dir string, components []string) (process, bool) {
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return process{}, false
	}
	called, _, _ := bytes.Cut(line, []byte{0})
	name := filepath.Base(string(called))
	for _, component := range components {
		if name != component {
			continue
		}
		host, err := os.ReadFile(filepath.Join(dir, "root/etc/hostname"))
		pid, numeric := strconv.Atoi(filepath.Base(dir))
		return process{pid: pid, node: strings.TrimSpace(string(host)), component: component}, err == nil && numeric == nil
	}
	return process{}, false
}

// pss is the proportional set size in MiB: memory of its own, and its share of what is shared.
func (p process) pss() (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.pid))
	if err != nil {
		return 0, fmt.Errorf("memory of %s on %s: %w", p.component, p.node, err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && fields[0] == "Pss:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("memory of %s on %s: no Pss in smaps_rollup", p.component, p.node)
}

// tick is the unit of processor time in /proc/PID/stat: Linux reports hundredths of a second to user space on every architecture.
const tick = 10 * time.Millisecond

// processor is the time that a process has used.
func (p process) processor() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, fmt.Errorf("processor time of %s on %s: %w", p.component, p.node, err)
	}
	// The name, in parentheses, may hold anything: what follows the last one is in order, utime and stime being the 12th and 13th.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time of %s on %s: %q", p.component, p.node, data)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

// The processes whose time a request costs.
var servers = []string{"kube-apiserver", "etcd"}

// spent is the processor time that serving has cost until now.
func (s *side) spent() (time.Duration, error) {
	all, err := s.processes(servers...)
	if err != nil {
		return 0, err
	}
	used, err := processors(all)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, d := range used {
		sum += d
	}
	return sum, nil
}

// processors is the time that each process has used, by its id.
func processors(all []process) (map[int]time.Duration, error) {
	used := map[int]time.Duration{}
	for _, p := range all {
		d, err := p.processor()
		if err != nil {
			return nil, err
		}
		used[p.pid] = d
	}
	return used, nil
}
