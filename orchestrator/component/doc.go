// Package component is what the six components have in common, one folder each: logs, serving (health and metrics), client (how to reach
// the apiserver) and leader (election by Leases).
//
// Every component may import it; it imports nothing of ours. Heavy imports stay out: what logs or serving import, every process carries.
package component
