package leadership

import "testing"

func TestParseMember(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       Member
		fails      bool
	}{
		{"one that leads", "# HELP x y\netcd_server_has_leader 1\netcd_server_is_leader 1\netcd_server_leader_changes_seen_total 3\n", Member{true, true, 3}, false},
		{"one that follows", "etcd_server_is_leader 0\netcd_server_has_leader 1\nother{a=\"b c\"} 5\n", Member{false, true, 0}, false},
		{"one without a leader", "etcd_server_is_leader 0\netcd_server_has_leader 0\n", Member{}, false},
		{"something else's metrics", "go_goroutines 12\n", Member{}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := parseMember([]byte(row.text))
			if got != row.want || (err != nil) != row.fails {
				t.Errorf("parseMember: %+v, %v", got, err)
			}
		})
	}
}
