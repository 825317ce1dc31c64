package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// environment is what differs in what was judged, and by what.
func environment(a, b *record.Report) []Field { return differing(facts(a), facts(b)) }

// facts of a report by name.
func facts(r *record.Report) map[string]string {
	t, h := r.Environment.Target, r.Environment.Harness
	all := map[string]string{
		"target": t.Name, "target UID": t.UID, "Kubernetes": t.Kubernetes,
		"plumb": h.Version, "requirements": short(r.Manifest), "Go": h.Go, "platform": h.Platform, "cores": fmt.Sprint(h.Cores),
	}
	roles := map[string]int{}
	for _, n := range r.Environment.Nodes {
		roles[n.Role]++
		for name, value := range map[string]string{"kubelet": n.Kubelet, "OS": n.OS, "kernel": n.Kernel, "container runtime": n.Runtime, "architecture": n.Architecture} {
			if value != "" && !strings.Contains(all[name], value) {
				all[name] = strings.TrimPrefix(all[name]+", "+value, ", ")
			}
		}
	}
	for role, n := range roles {
		all["nodes of role "+role] = fmt.Sprint(n)
	}
	for _, s := range r.Settings {
		all["setting "+s.Name] = s.Value
	}
	for _, image := range r.Images {
		all["image "+image.Name] = strings.TrimPrefix(all["image "+image.Name]+", "+short(image.Digest), ", ")
	}
	return all
}

// short is enough of a digest to tell it from others.
func short(digest string) string {
	const enough = 19
	return digest[:min(len(digest), enough)]
}

// led is how often leaders changed.
func led(r *record.Report) map[string]string {
	if r.Leadership == nil {
		return map[string]string{"changes": "nobody looked"}
	}
	return map[string]string{"changes": fmt.Sprint(len(r.Leadership.Changes)), "unexplained": fmt.Sprint(r.Leadership.Unexplained)}
}

// differing are the facts whose values are not the same, by name. An image that only one run used is no difference.
func differing(a, b map[string]string) []Field {
	names := map[string]bool{}
	for _, facts := range []map[string]string{a, b} {
		for name := range facts {
			names[name] = true
		}
	}
	all := []Field{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		lone := a[name] == "" || b[name] == ""
		if a[name] != b[name] && !(lone && strings.HasPrefix(name, "image ")) {
			all = append(all, Field{name, a[name], b[name]})
		}
	}
	return all
}
