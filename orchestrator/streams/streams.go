// Package streams carries upgraded connections: exec, attach, port-forward, and whatever a proxied program speaks after an Upgrade.
//
// The apiserver uses it towards kubelets, pods and services, the kubelet towards the URLs that CRI gives. It copies bytes both ways and
// understands none of them: SPDY/3.1 and WebSocket pass alike. Two things are put into WebSocket messages here: the SPDY connection of a tunnel
// (port-forward, KEP-4006), and logs, which are no stream at the kubelet. It decides nothing about rights.
package streams
