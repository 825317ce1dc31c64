// Package podspec is what every kind that holds a PodSpec shares: its defaults, its validation and the summary columns of its containers.
//
// Pods, pod templates, replication controllers and the workloads of apps and batch call it with the field path of their own spec; so does the
// kubelet with its static pods, which no apiserver sees before they run. It must not know who calls. Pure, as all of the catalogue.
package podspec
