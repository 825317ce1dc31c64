// Package core is the catalogue's core group (the one without a name): one file per kind.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package core
