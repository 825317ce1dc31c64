// Package node is the catalogue of the node.k8s.io group: runtime classes.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package node
