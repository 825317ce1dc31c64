// Package storage is the catalogue of the storage.k8s.io group: storage classes and what CSI drivers write.
// It is fed nothing but objects, and feeds api.All. Pure, as all of the catalogue.
package storage
