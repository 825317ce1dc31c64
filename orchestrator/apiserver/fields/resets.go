package fields

import (
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// resets are the fields that a write to the target cannot set, whatever its body says: nobody comes to own them by it.
func resets(target Target) map[fieldpath.APIVersion]fieldpath.Filter {
	paths := resetPaths(target)
	if len(paths) == 0 {
		return nil
	}
	set := fieldpath.NewSet()
	for _, path := range paths {
		set.Insert(pathOf(path))
	}
	byVersion := map[fieldpath.APIVersion]*fieldpath.Set{}
	for i := range target.Kind.Versions {
		of := Target{Kind: target.Kind, Version: &target.Kind.Versions[i]}
		byVersion[fieldpath.APIVersion(of.gvk().GroupVersion().String())] = set
	}
	return fieldpath.NewExcludeFilterSetMap(byVersion)
}

// resetPaths are the catalogue's, or what follows from having a status: the status apart from it, and the spec with it.
func resetPaths(target Target) []string {
	k := target.Kind
	if target.Subresource == "" {
		if _, split := k.Subresources["status"]; k.Resets == nil && split {
			return []string{"status"}
		}
		return k.Resets
	}
	update := k.Subresources[target.Subresource].Update
	switch {
	case update != nil && update.Resets != nil:
		return update.Resets
	case target.Subresource == "status":
		return []string{"spec"}
	}
	return nil
}

// pathOf a dotted name.
func pathOf(dotted string) fieldpath.Path {
	var path fieldpath.Path
	for _, name := range strings.Split(dotted, ".") {
		path = append(path, fieldpath.PathElement{FieldName: &name})
	}
	return path
}
