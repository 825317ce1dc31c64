package cronjob

import (
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	batch "k8s.io/api/batch/v1"
)

// errNever: a schedule such as 31 February, which no time meets.
var errNever = errors.New("the schedule names no time that ever comes")

// parse reads a CronJob's schedule in its time zone, or in this process's when it names none.
func parse(spec *batch.CronJobSpec) (cron.Schedule, error) {
	text := spec.Schedule
	if spec.TimeZone != nil {
		if _, err := time.LoadLocation(*spec.TimeZone); err != nil {
			return nil, fmt.Errorf("time zone %q: %w", *spec.TimeZone, err)
		}
		text = "TZ=" + *spec.TimeZone + " " + text
	}
	return cron.ParseStandard(text)
}

// missed is what of a schedule lies between two moments.
type missed struct {
	// last is the newest time of the schedule that is not after now; zero when there is none.
	last time.Time
	// count is how many there were, exact up to two and estimated from the first interval beyond.
	count int64
}

// between looks from after (exclusive) to now (inclusive). It walks back from now in steps that double, so that a CronJob that was suspended for years
// costs no more than one that ran a minute ago.
func between(s cron.Schedule, after, now time.Time) (missed, error) {
	first := s.Next(after)
	if first.IsZero() {
		return missed{}, errNever
	}
	if first.After(now) {
		return missed{}, nil
	}
	second := s.Next(first)
	if second.IsZero() || second.After(now) {
		return missed{last: first, count: 1}, nil
	}
	step := second.Sub(first)
	m := missed{last: second, count: int64(now.Sub(first)/step) + 1}
	for back := step; back < now.Sub(first); back *= 2 {
		if at := s.Next(now.Add(-back)); !at.IsZero() && !at.After(now) {
			m.last = at
			break
		}
	}
	for next := s.Next(m.last); !next.IsZero() && !next.After(now); next = s.Next(next) {
		m.last = next
	}
	return m, nil
}
