package verdict

import "time"

// Leadership is who led the control plane during a run, as far as that changed.
type Leadership struct {
	// Observed are the Leases that were watched, and etcd where its members tell who leads.
	Observed []string       `json:"observed"`
	Changes  []LeaderChange `json:"changes"`
	// Unexplained is how many of them came without a fault.
	Unexplained int `json:"unexplained"`
}

// Unexplained counts the changes that no requirement's fault explains.
func Unexplained(changes []LeaderChange) (n int) {
	for _, c := range changes {
		if c.Because == "" {
			n++
		}
	}
	return n
}

// LeaderChange is one change of a leader, At when it was seen. From and To are empty where only the change itself is known.
type LeaderChange struct {
	At      time.Time `json:"at"`
	Subject string    `json:"subject"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	// Because is the requirement whose spec had broken something; empty: nothing explains it.
	Because string `json:"because,omitempty"`
}
