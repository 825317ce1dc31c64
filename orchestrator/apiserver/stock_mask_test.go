package apiserver

import (
	"regexp"
)

// drawn are texts that differ from run to run: generated names, UIDs, versions, times, addresses.
var drawn = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`), "kube-api-access-MASK"},
	{regexp.MustCompile(`Bad_[a-z0-9]{5}"`), `Bad_MASK"`},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`\b10\.96\.\d+\.\d+\b`), "ADDRESS"},
}

func mask(text string) string {
	for _, d := range drawn {
		text = d.pattern.ReplaceAllString(text, d.mask)
	}
	return text
}

// dropped are fields that only the server that answers can know.
var dropped = []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "nodePort", "healthCheckNodePort"}

// masked replaces what was drawn in a whole object.
func masked(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range dropped {
			delete(v, name)
		}
		for name := range v {
			v[name] = masked(v[name])
		}
		if name, ok := v["generateName"].(string); ok && name != "" {
			delete(v, "name")
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
	case string:
		return mask(v)
	}
	return value
}
