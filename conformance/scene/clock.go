package scene

import "time"

// clock tells moments of our clock on that of a load's calls, which counts from the first of them. When that one was made is known between two
// moments only, which each question for the load's age brings closer together.
type clock struct{ from, till time.Time }

// narrow takes in that the load was so old at some moment between a question and its answer.
func (c *clock) narrow(asked, answered time.Time, age time.Duration) {
	if from := asked.Add(-age); from.After(c.from) {
		c.from = from
	}
	if till := answered.Add(-age); till.Before(c.till) {
		c.till = till
	}
}

// At is a moment on the clock of the calls. It may be off by Unsure in either direction.
func (c *clock) At(moment time.Time) time.Duration {
	return moment.Sub(c.from.Add(c.till.Sub(c.from) / 2))
}

// Unsure is by how much At may be wrong.
func (c *clock) Unsure() time.Duration { return max(c.till.Sub(c.from)/2, 0) }

// Earliest is what a moment is at least: a call that ended before it had ended before the moment. It only grows as the clock is narrowed, so that
// calls counted up to it count later too.
func (c *clock) Earliest(moment time.Time) time.Duration { return moment.Sub(c.till) }

// Latest is what a moment is at most: a call that was sent after it was sent after the moment. It only shrinks as the clock is narrowed, so that
// calls counted from it on count later too.
func (c *clock) Latest(moment time.Time) time.Duration { return moment.Sub(c.from) }
