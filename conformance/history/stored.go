package history

import "fmt"

// Lost holds what was acknowledged against what is stored: a record must be there as it was acknowledged, a register at its last version or a
// later one, and nothing must be there that nobody wrote.
func Lost(h History) []string {
	var wrong []string
	tried := map[string]map[string]bool{}
	for _, c := range h.Calls {
		if !c.isWrite() {
			continue
		}
		if tried[c.Key] == nil {
			tried[c.Key] = map[string]bool{}
		}
		tried[c.Key][c.Value] = true
		if c.acknowledged() {
			wrong = append(wrong, lost(c, h.Final)...)
		}
	}
	for key, stored := range h.Final {
		if !tried[key][stored.Value] {
			wrong = append(wrong, fmt.Sprintf("%s is stored with value %q, which nobody wrote", key, stored.Value))
		}
	}
	return wrong
}

func lost(c Call, final map[string]Stored) []string {
	stored, found := final[c.Key]
	switch {
	case !found:
		return []string{fmt.Sprintf("%s: acknowledged by %s at version %d and not stored", c.Key, c.Client, c.Version)}
	case stored.Version < c.Version:
		return []string{fmt.Sprintf("%s: acknowledged by %s at version %d, stored at the older %d", c.Key, c.Client, c.Version, stored.Version)}
	case stored.Version == c.Version && stored.Value != c.Value:
		return []string{fmt.Sprintf("%s: version %d was acknowledged to %s with value %q and is stored with %q", c.Key, c.Version, c.Client, c.Value, stored.Value)}
	}
	return nil
}

// Fresh holds every GetAt against the writes that its version covers: it must not find the key older than the last of them.
func Fresh(h History) []string {
	var wrong []string
	writes := map[string][]Call{}
	for _, c := range h.Calls {
		if c.acknowledged() {
			writes[c.Key] = append(writes[c.Key], c)
		}
	}
	for _, read := range h.Calls {
		if read.Op != GetAt || read.Outcome != OK {
			continue
		}
		for _, w := range writes[read.Key] {
			if w.Version <= read.At && w.Version > read.Version {
				wrong = append(wrong, fmt.Sprintf("%s asked for %s at version %d or later and got version %d: that of version %d was written before",
					read.Client, read.Key, read.At, read.Version, w.Version))
				break
			}
		}
	}
	return wrong
}
