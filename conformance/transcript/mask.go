package transcript

import (
	"regexp"
	"slices"
	"strings"
)

// mask hides what differs from run to run and from cluster to cluster, and nothing else.
type mask struct {
	// literal replacements come first, longest word first: a node's name may begin another's.
	literal []string
	words   *strings.Replacer
}

// pattern is a general rule.
type pattern struct {
	match *regexp.Regexp
	with  string
}

// random is the alphabet of generated names.
const random = "[bcdfghjklmnpqrstvwxz2456789]"

// span is a duration as kubectl writes ages.
const span = `(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?`

// age is a duration that is a whole cell of a table; the value of a field, such as 10m of cpu, is none.
var age = pattern{regexp.MustCompile(`(?m)(^|[^:\n]  |Duration:  )(?:\d+[ydhms]){1,3}(?: \(x\d+ over ` + span + `\))?(  |$)`), "${1}AGE${2}"}

var patterns = []pattern{
	// Times.
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?`), "TIME"},
	{regexp.MustCompile(`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [+-]\d{4}`), "TIME"},
	{regexp.MustCompile(`\b[EWI]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ `), "LOG "},
	age, age, // neighbours share the blanks between them
	{regexp.MustCompile(`\b(?:\d+[ydhms]){1,3} ago\b`), "AGE ago"},
	{regexp.MustCompile(`\bin (?:\d+(?:\.\d+)?m?s) \((?:\d+(?:\.\d+)?m?s) including waiting\)`), "in AGE (AGE including waiting)"},
	// The size of a terminal arrives after the program's start.
	{regexp.MustCompile(`(?m)^tty \d+x\d+$`), "tty SIZE"},
	// Identities.
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "UID"},
	{regexp.MustCompile(`containerd://[0-9a-f]{64}`), "containerd://ID"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:DIGEST"},
	{regexp.MustCompile(`(start exec \\*")[0-9a-f]{64}`), "${1}ID"},
	{regexp.MustCompile(`(resourceVersion[\\"]*: ?[\\"]*)\d+`), "${1}VERSION"},
	{regexp.MustCompile(`\bResource Version: +\d+`), "Resource Version: VERSION"},
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "TOKEN"},
	// Names that were made up.
	{regexp.MustCompile(`(pod-template-hash"?[=:] ?"?)` + random + `+`), "${1}HASH"},
	{regexp.MustCompile(`(controller-revision-hash"?[=:] ?"?(?:[a-z0-9-]+-)?)` + random + `+`), "${1}HASH"},
	{regexp.MustCompile(`([a-z0-9]-)` + random + `{8,10}-` + random + `{5}\b`), "${1}HASH-RANDOM"},
	{regexp.MustCompile(`([a-z0-9]-)` + random + `{8,10}\b`), "${1}HASH"},
	{regexp.MustCompile(`([a-z0-9]-)` + random + `{5}\b`), "${1}RANDOM"},
	{regexp.MustCompile(`kube-api-access-` + random + `{5}`), "kube-api-access-RANDOM"},
	{regexp.MustCompile(`/tmp/(LIVE|MERGED|kubectl-edit)-\d+`), "/tmp/${1}-RANDOM"},
	{regexp.MustCompile(`((?:machineID|systemUUID|bootID)":")[^"]*`), "${1}ID"},
	{regexp.MustCompile(`((?:Machine ID|System UUID|Boot ID):).*`), "${1}  ID"},
	{regexp.MustCompile(`X509SHA256=[0-9a-f]{64}`), "X509SHA256=DIGEST"},
	// Sizes of a machine.
	{regexp.MustCompile(`\b\d{6,}(?:Ki)?\b`), "SIZE"},
	// Addresses and ports.
	{regexp.MustCompile(`(127\.0\.0\.1|\[::1\]):\d+`), "${1}:PORT"},
	{regexp.MustCompile(`Handling connection for \d+`), "Handling connection for PORT"},
	{regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}/\d+\b`), "CIDR"},
	{regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`), "ADDRESS"},
	{regexp.MustCompile(`\b3(?:[01]\d{3}|2[0-7]\d{2})\b`), "NODEPORT"},
}

// aligned are the blanks between columns: their number follows from the longest cell, which may have been masked.
var aligned = regexp.MustCompile(`(\S) {2,}`)

// indented is what stands before a line's first word, also behind the mark of a diff: it means something and stays.
var indented = regexp.MustCompile(`^[+-]?\s*`)

// align leaves two blanks between columns.
func align(line string) string {
	from := len(indented.FindString(line))
	return line[:from] + aligned.ReplaceAllString(line[from:], "$1  ")
}

// newMask replaces words (pairs of a word and what stands for it) and whatever the patterns know.
func newMask(words map[string]string) *mask {
	m := &mask{}
	var order []string
	for word := range words {
		order = append(order, word)
	}
	slices.SortFunc(order, func(a, b string) int { return len(b) - len(a) })
	for _, word := range order {
		m.literal = append(m.literal, word, words[word])
	}
	m.words = strings.NewReplacer(m.literal...)
	return m
}

// apply masks an output, a line each.
func (m *mask) apply(output string) []string {
	if output == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(m.words.Replace(output), "\n"), "\n")
	for i := range lines {
		lines[i] = align(lines[i])
	}
	output = strings.Join(lines, "\n")
	for _, p := range patterns {
		output = p.match.ReplaceAllString(output, p.with)
	}
	lines = strings.Split(output, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return lines
}
