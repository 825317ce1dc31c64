package discovery

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// apiGroup is one group with its versions, preferred first.
type apiGroup struct {
	name     string
	versions []*groupVersion
}

// groupVersion is one version with its kinds, in the catalogue's order.
type groupVersion struct {
	schema.GroupVersion
	kinds []*kind.Kind
}

// group sorts the catalogue into groups, in its own order.
func group(kinds []*kind.Kind) []*apiGroup {
	var groups []*apiGroup
	for _, k := range kinds {
		g := groupNamed(&groups, k.Group)
		for _, v := range k.Versions {
			gv := g.version(v.Name)
			gv.kinds = append(gv.kinds, k)
		}
	}
	return groups
}

func groupNamed(groups *[]*apiGroup, name string) *apiGroup {
	for _, g := range *groups {
		if g.name == name {
			return g
		}
	}
	g := &apiGroup{name: name}
	*groups = append(*groups, g)
	return g
}

func (g *apiGroup) version(name string) *groupVersion {
	for _, v := range g.versions {
		if v.Version == name {
			return v
		}
	}
	v := &groupVersion{GroupVersion: schema.GroupVersion{Group: g.name, Version: name}}
	g.versions = append(g.versions, v)
	return v
}

func (g *apiGroup) apiGroup() metav1.APIGroup {
	out := metav1.APIGroup{Name: g.name}
	for _, v := range g.versions {
		out.Versions = append(out.Versions, metav1.GroupVersionForDiscovery{GroupVersion: v.String(), Version: v.Version})
	}
	out.PreferredVersion = out.Versions[0]
	return out
}

func (v *groupVersion) path() string {
	if v.Group == "" {
		return "/api/" + v.Version
	}
	return "/apis/" + v.String()
}

func (v *groupVersion) resourceList() *metav1.APIResourceList {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: v.String(), APIResources: []metav1.APIResource{}}
	if v.Group == "" {
		list.APIVersion = ""
	}
	for _, k := range v.kinds {
		list.APIResources = append(list.APIResources, resource(k))
		for _, name := range subresources(k) {
			list.APIResources = append(list.APIResources, v.subresource(k, name))
		}
	}
	slices.SortFunc(list.APIResources, func(a, b metav1.APIResource) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return list
}

func verbs(k *kind.Kind) metav1.Verbs {
	if k.Verbs != nil {
		return k.Verbs
	}
	return kind.AllVerbs
}

func resource(k *kind.Kind) metav1.APIResource {
	r := metav1.APIResource{
		Name: k.Resource, SingularName: k.Singular, Namespaced: k.Namespaced, Kind: k.Names.Kind,
		Verbs: verbs(k), ShortNames: k.ShortNames, Categories: k.Categories,
	}
	if k.Storage.New != nil {
		sum := sha256.Sum256([]byte(k.Group + "/" + k.Storage.Version.Version + "/" + k.Names.Kind))
		r.StorageVersionHash = base64.StdEncoding.EncodeToString(sum[:8])
	}
	return r
}

func subresources(k *kind.Kind) []string {
	var names []string
	for name := range k.Subresources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// subresource names group and version of what it takes only where they are not those of the list.
func (v *groupVersion) subresource(k *kind.Kind, name string) metav1.APIResource {
	sub := k.Subresources[name]
	r := metav1.APIResource{Name: k.Resource + "/" + name, Namespaced: k.Namespaced, Kind: k.Names.Kind, Verbs: sub.Verbs}
	if sub.Kind.Kind != "" {
		r.Kind = sub.Kind.Kind
		if sub.Kind.GroupVersion() != v.GroupVersion {
			r.Group, r.Version = sub.Kind.Group, sub.Kind.Version
		}
	}
	return r
}

// discovery is the group in the aggregated document.
func (g *apiGroup) discovery() apidiscoveryv2.APIGroupDiscovery {
	out := apidiscoveryv2.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: g.name}}
	for _, v := range g.versions {
		out.Versions = append(out.Versions, v.discovery())
	}
	return out
}

func (v *groupVersion) discovery() apidiscoveryv2.APIVersionDiscovery {
	out := apidiscoveryv2.APIVersionDiscovery{Version: v.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent}
	for _, k := range v.kinds {
		scope := apidiscoveryv2.ScopeCluster
		if k.Namespaced {
			scope = apidiscoveryv2.ScopeNamespace
		}
		r := apidiscoveryv2.APIResourceDiscovery{
			Resource: k.Resource, SingularResource: k.Singular, Scope: scope, Verbs: verbs(k), ShortNames: k.ShortNames, Categories: k.Categories,
			ResponseKind: &metav1.GroupVersionKind{Group: v.Group, Version: v.Version, Kind: k.Names.Kind},
		}
		for _, name := range subresources(k) {
			sub := k.Subresources[name]
			response := &metav1.GroupVersionKind{Group: v.Group, Version: v.Version, Kind: k.Names.Kind}
			if sub.Kind.Kind != "" {
				response = &metav1.GroupVersionKind{Group: sub.Kind.Group, Version: sub.Kind.Version, Kind: sub.Kind.Kind}
			}
			r.Subresources = append(r.Subresources, apidiscoveryv2.APISubresourceDiscovery{Subresource: name, Verbs: sub.Verbs, ResponseKind: response})
		}
		out.Resources = append(out.Resources, r)
	}
	return out
}
