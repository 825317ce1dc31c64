// Package nftables keeps the packet filter as package ruleset wants it: one table per IP family, changed by netlink in one transaction per
// change, without the nft program.
//
// It owns the table "kube-proxy" and its elements. It decides nothing about Services: it is fed fragments by package proxy, works out which
// elements differ from what the kernel holds, and sends only those. After a restart, or when a transaction fails, it reads the kernel's table
// back and goes on from there, so that neither connections nor affinity suffer.
package nftables
