// Package streams carries upgraded connections: exec, attach, port-forward, and whatever a proxied program speaks after an Upgrade.
//
// The apiserver uses it towards kubelets, pods and services, the kubelet towards the URLs that CRI gives. It copies bytes both ways and
// understands none of them: SPDY/3.1 and WebSocket pass alike. It decides nothing about rights.
package streams
