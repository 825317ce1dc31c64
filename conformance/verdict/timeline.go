package verdict

import "time"

// Timeline is what happened while a spec broke something: when each fault was injected, witnessed and healed, when leaders changed, how clients
// fared, and how much of each budget was used. It is the evidence that a fault was real.
type Timeline struct {
	Marks []Mark `json:"marks,omitempty"`
	// Lanes are the calls of a client load, a lane for each client.
	Lanes []Lane  `json:"lanes,omitempty"`
	Spent []Spent `json:"spent,omitempty"`
}

// Kind of a mark.
type Kind string

// The kinds of marks, in the order of a fault's life; Phase begins a part of a spec, Leader is a change of who leads.
const (
	Injected  Kind = "injected"
	Witnessed Kind = "witnessed"
	Healing   Kind = "healing"
	Healed    Kind = "healed"
	Phase     Kind = "phase"
	Leader    Kind = "leader"
)

// Mark is one moment.
type Mark struct {
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Subject is what it is about: a fault's name, a lease. Text is what was seen.
	Subject string `json:"subject"`
	Text    string `json:"text,omitempty"`
}

// Lane is the calls of one client.
type Lane struct {
	Client string `json:"client"`
	Calls  []Call `json:"calls"`
}

// Call is one request of a client; a lane may leave out calls that went well when there are very many, never one that did not.
type Call struct {
	At time.Time `json:"at"`
	// Took is in seconds. Outcome is that of package history: ok, failed, unknown.
	Took    float64 `json:"took"`
	Outcome string  `json:"outcome"`
}

// Spent is how much of a budget was used.
type Spent struct {
	// Budget and Why are those of package budget; Subject says what was waited for.
	Budget  string    `json:"budget"`
	Why     string    `json:"why"`
	Subject string    `json:"subject"`
	From    time.Time `json:"from"`
	// Limit and Took are in seconds.
	Limit float64 `json:"limit"`
	Took  float64 `json:"took"`
}

// Add puts what a spec recorded into the timeline; ok is false for anything else.
func (t *Timeline) Add(recorded any) (ok bool) {
	switch r := recorded.(type) {
	case Mark:
		t.Marks = append(t.Marks, r)
	case Lane:
		t.Lanes = append(t.Lanes, r)
	case Spent:
		t.Spent = append(t.Spent, r)
	default:
		return false
	}
	return true
}
