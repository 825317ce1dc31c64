package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// scale turns moments into places along a chart. Zero of its axis is the first fault's injection: what people ask is how long after it.
type scale struct {
	from, until, zero time.Time
	span              time.Duration
}

// tick is a label of the axis.
type tick struct {
	X, Label string
	Zero     bool
}

func scaleOf(r verdict.Result, marks []verdict.Mark) scale {
	s := scale{}
	s.from, s.until = begunBy(r, marks)
	if s.from.IsZero() {
		return s
	}
	s.zero = s.from
	if i := slices.IndexFunc(marks, func(m verdict.Mark) bool { return m.Kind == verdict.Injected }); i >= 0 {
		s.zero = marks[i].At
	}
	s.stretch()
	return s
}

// stretch leaves a little room at both ends.
func (s *scale) stretch() {
	room := max(s.until.Sub(s.from)/50, 10*time.Millisecond)
	s.from, s.until = s.from.Add(-room), s.until.Add(room)
	s.span = s.until.Sub(s.from)
}

// share is where a moment lies: 0 is the beginning and 1 the end.
func (s scale) share(at time.Time) float64 {
	return min(1, max(0, float64(at.Sub(s.from))/float64(s.span)))
}

func (s scale) x(at time.Time) string { return percent(s.share(at), 1) }

func (s scale) w(d time.Duration) string {
	return percent(min(1, max(0, float64(d)/float64(s.span))), 1)
}

// offset is the time from the first fault to a moment.
func (s scale) offset(at time.Time) string {
	d := at.Sub(s.zero).Seconds()
	switch {
	case d < 0:
		return "−" + seconds(-d)
	case d == 0:
		return "0 s"
	}
	return "+" + seconds(d)
}

// ticks are round numbers of seconds, as many as a narrow screen has room for.
func (s scale) ticks() []tick {
	const most = 5
	step := 0.001
	for i := 0; s.span.Seconds()/step > most; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	if s.span.Minutes() > 2 { // minutes are divided otherwise
		for _, step = range []float64{30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400} {
			if s.span.Seconds()/step <= most {
				break
			}
		}
	}
	var all []tick
	first := math.Ceil(s.from.Sub(s.zero).Seconds() / step)
	for i := first; ; i++ {
		at := s.zero.Add(time.Duration(i * step * float64(time.Second)))
		if at.After(s.until) {
			return all
		}
		all = append(all, tick{X: s.x(at), Label: axisLabel(i * step), Zero: i == 0})
	}
}

func axisLabel(s float64) string {
	sign := ""
	if s == 0 {
		return "0"
	}
	if s < 0 {
		sign, s = "−", -s
	}
	if s >= 120 && math.Mod(s, 30) == 0 {
		return fmt.Sprintf("%s%d:%02d", sign, int(s)/60, int(s)%60)
	}
	if s < 1 {
		return sign + seconds(s)
	}
	return fmt.Sprintf("%s%.4g s", sign, s)
}

// percent is a part of a whole, as SVG's x, width and the like take it.
func percent(part, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	text := strings.TrimRight(fmt.Sprintf("%.2f", 100*part/whole), "0")
	return strings.TrimSuffix(text, ".") + "%"
}
