package endpoint

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// maxShown is how much of what was refused an error shows, in bytes.
	maxShown = 1 << 10
	// maxMessage bounds the message of a refusal: it names each fault, and each fault shows what was wrong. maxCauses bounds their list.
	maxMessage = 16 << 10
	maxCauses  = 1000
	// maxWarnings bounds the warnings of an answer together, and maxWarning each once that is exceeded (stock's limits, which count characters).
	maxWarnings = 4 << 10
	maxWarning  = 256
)

// excerpt is the beginning of what was refused. A client knows what it sent, and answers must not grow with it.
func excerpt(text string) string { return cut(text, maxShown) }

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + " ..."
}

// bounded is a refusal that is no longer than anyone can read. It does not alter its argument's details.
func bounded(status metav1.Status) metav1.Status {
	status.Message = cut(status.Message, maxMessage)
	if status.Details == nil {
		return status
	}
	details := *status.Details
	details.Name = excerpt(details.Name)
	details.Causes = slices.Clone(details.Causes[:min(len(details.Causes), maxCauses)])
	for i := range details.Causes {
		details.Causes[i].Message = cut(details.Causes[i].Message, 2*maxShown)
		details.Causes[i].Field = excerpt(details.Causes[i].Field)
	}
	status.Details = &details
	return status
}

// Warn adds a Warning header, once for each text. When all together become too long for a header each is shortened, and what then does not fit is
// left out.
func Warn(w http.ResponseWriter, text string) {
	const lead = "299 - "
	value := lead + strconv.Quote(text)
	header := w.Header()
	given := header.Values("Warning")
	if slices.Contains(given, value) {
		return
	}
	if length(given)+len(value) <= maxWarnings {
		header.Add("Warning", value)
		return
	}
	short := make([]string, 0, len(given)+1)
	for _, other := range given {
		if plain, err := strconv.Unquote(other[min(len(lead), len(other)):]); err == nil {
			other = lead + strconv.Quote(cut(plain, maxWarning))
		}
		short = append(short, other)
	}
	if value = lead + strconv.Quote(cut(text, maxWarning)); length(short)+len(value) <= maxWarnings && !slices.Contains(short, value) {
		short = append(short, value)
	}
	header["Warning"] = short
}

func length(values []string) int {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	return n
}
