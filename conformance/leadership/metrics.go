package leadership

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// Member is how one etcd member stands, by its own metrics.
type Member struct {
	// Leads and HasLeader: it leads; it knows somebody who does.
	Leads, HasLeader bool
	// Changes of leaders that it has seen since it started.
	Changes int
}

// parseMember reads three gauges from a member's metrics.
func parseMember(text []byte) (Member, error) {
	values := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), " ")
		if !found || !strings.HasPrefix(name, "etcd_server_") {
			continue
		}
		if number, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			values[name] = number
		}
	}
	leads, ok := values["etcd_server_is_leader"]
	if !ok {
		return Member{}, errors.New("the metrics do not tell whether this member leads (etcd_server_is_leader)")
	}
	return Member{Leads: leads == 1, HasLeader: values["etcd_server_has_leader"] == 1, Changes: int(values["etcd_server_leader_changes_seen_total"])}, nil
}
