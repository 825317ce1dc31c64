package main

import (
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/types"
)

// unionFact tells of which fields of a struct one at most is set, and which field says so:
// union=DISCRIMINATOR;JSONNAME:VALUE;... with an empty discriminator when there is none.
func unionFact(t *types.Type) string {
	whole := gengo.ExtractCommentTags("+", t.CommentLines)["union"] != nil
	discriminator, members := "", ""
	for i := range t.Members {
		m := &t.Members[i]
		name, shown := jsonName(m)
		if !shown {
			continue
		}
		tags := gengo.ExtractCommentTags("+", m.CommentLines)
		switch {
		case tags["unionDiscriminator"] != nil:
			discriminator = name
		case whole, tags["unionDeprecated"] != nil:
			members += ";" + name + ":" + m.Name
		}
	}
	if members == "" {
		return ""
	}
	return "\tunion=" + discriminator + members
}
