package verdict

import "time"

// Attempt is one run of a requirement that ran several times.
type Attempt struct {
	Outcome Outcome   `json:"outcome"`
	Began   time.Time `json:"began,omitzero"`
	Seconds float64   `json:"seconds"`
	Message string    `json:"message,omitempty"`
}

// Again joins what a requirement was in an earlier run with what it is now. The outcome is the worse of both: to run again never makes a failure a
// pass.
func Again(earlier, now Result) Result {
	attempts := earlier.Attempts
	if len(attempts) == 0 {
		attempts = []Attempt{attempt(earlier)}
	}
	worse := Worse(earlier, now)
	now.Attempts = append(append([]Attempt{}, attempts...), attempt(now))
	now.Outcome, now.Message = worse.Outcome, worse.Message
	return now
}

func attempt(r Result) Attempt {
	return Attempt{Outcome: r.Outcome, Began: r.Began, Seconds: r.Seconds, Message: r.Message}
}

// Last is the outcome of the last attempt.
func (r Result) Last() Outcome {
	if n := len(r.Attempts); n > 0 {
		return r.Attempts[n-1].Outcome
	}
	return r.Outcome
}

// Flaky tells whether it did not pass in one attempt, and passed in the last one.
func (r Result) Flaky() bool { return r.Outcome != Passed && r.Last() == Passed }
