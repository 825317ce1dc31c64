package env

import "strings"

// Expand replaces each $(NAME) by the value of the first map that has NAME. An unknown name stays as written; $$ is a dollar sign.
func Expand(text string, known ...map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		switch text[i+1] {
		case '$':
			out.WriteByte('$')
			i++
		case '(':
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				out.WriteString("$(")
				i++
				continue
			}
			name := text[i+2 : i+end]
			out.WriteString(lookup(name, known))
			i += end
		default:
			out.WriteByte('$')
			out.WriteByte(text[i+1])
			i++
		}
	}
	return out.String()
}

func lookup(name string, known []map[string]string) string {
	for _, m := range known {
		if value, ok := m[name]; ok {
			return value
		}
	}
	return "$(" + name + ")"
}
