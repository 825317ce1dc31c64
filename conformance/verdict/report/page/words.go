package page

import (
	"fmt"
	"html/template"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// words are the functions of the templates that turn values into what people read.
var words = template.FuncMap{
	"clean": clean, "seconds": seconds, "moment": moment, "clock": clock, "stamp": stamp, "many": many, "bytes": size, "local": local, "plain": plain, "group": func(n int) string { return group(int64(n)) },
	"short": func(digest string) string { return fmt.Sprintf("%.12s", digest) },
}

// order is that of outcomes on the page: the worst first.
var order = []verdict.Outcome{verdict.Failed, verdict.Inconclusive, verdict.Missing, verdict.Skipped, verdict.Passed}

// plain is an outcome in the words of somebody who has not read the manual.
func plain(o verdict.Outcome) string {
	if o == verdict.Missing {
		return "did not run"
	}
	return string(o)
}

// colours are the sequences by which a terminal is told to change how it writes.
var colours = regexp.MustCompile("\x1b\\[[0-9;:?]*[ -/]*[@-~]")

// clean takes out of a text what would not be shown as it is: terminal colours, and control characters that hide or reorder what follows.
func clean(text string) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(colours.ReplaceAllString(text, ""), "\uFFFD") {
		switch {
		case r == '\n', r == '\t':
			out.WriteRune(r)
		case r == '\r':
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&out, "\\u%04x", r)
		default:
			out.WriteRune(r)
		}
	}
	return strings.TrimRight(out.String(), "\n")
}

// seconds is a duration as precise as it is of use.
func seconds(s float64) string {
	switch {
	case s <= 0:
		return "0 s"
	case s < 0.0095:
		return fmt.Sprintf("%.1f ms", s*1000)
	case s < 0.995:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 99.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", s), ".0") + " s"
	}
	d := time.Duration(s+0.5) * time.Second
	switch {
	case d < time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// moment is a date and time, clock the time alone, both in UTC; stamp is for machines.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
func clock(t time.Time) string  { return t.UTC().Format("15:04:05.000") }
func stamp(t time.Time) string  { return t.UTC().Format(time.RFC3339Nano) }

// many is a number with its noun.
func many(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return group(int64(n)) + " " + noun
}

// group is a number with its digits in groups of three.
func group(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// size is a number of bytes.
func size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for ; f >= 1024 && i < len(units)-1; i++ {
		f /= 1024
	}
	if i == 0 {
		return group(n) + " bytes"
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// local is the link to a path of the report's folder, empty for any other: ./ keeps a colon in a name from being a scheme.
func local(path string) string {
	if !filepath.IsLocal(path) {
		return ""
	}
	return "./" + filepath.ToSlash(path)
}
