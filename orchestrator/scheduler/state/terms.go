package state

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// withKeys adds matchLabelKeys (in) and mismatchLabelKeys (notin) with the pod's own values. The apiserver merges them into the selector
// when it stores a pod; pods of older servers may still need it here.
func withKeys(s labels.Selector, match, mismatch []string, own map[string]string) labels.Selector {
	for _, keys := range []struct {
		names    []string
		operator selection.Operator
	}{{match, selection.In}, {mismatch, selection.NotIn}} {
		for _, key := range keys.names {
			value, ok := own[key]
			if !ok {
				continue
			}
			if r, err := labels.NewRequirement(key, keys.operator, []string{value}); err == nil {
				s = s.Add(*r)
			}
		}
	}
	return s
}

// termKey names what a term matches, so that equal terms of many pods share one tally.
func termKey(t *Term) string {
	names := make([]string, 0, len(t.namespaces))
	for ns := range t.namespaces {
		names = append(names, ns)
	}
	slices.Sort(names)
	ofNamespaces := "-"
	if t.ofNamespaces != nil {
		ofNamespaces = t.ofNamespaces.String()
	}
	return fmt.Sprintf("%s|%t|%s|%s|%s", t.TopologyKey, t.skipTerminating, t.selector, strings.Join(names, ","), ofNamespaces)
}

// NewSpreadTerm is the term of a selector over a topology within one namespace, without terminating pods: what topology spread constraints count.
func NewSpreadTerm(topologyKey, namespace string, selector labels.Selector) Term {
	t := Term{TopologyKey: topologyKey, selector: selector, namespaces: map[string]bool{namespace: true}, skipTerminating: true}
	t.Key = termKey(&t)
	return t
}

// WithKeys narrows a selector by the pod's own values of the keys.
func WithKeys(s labels.Selector, keys []string, own map[string]string) labels.Selector {
	return withKeys(s, keys, nil, own)
}
