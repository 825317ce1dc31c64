// Package component is what the components have in common, one folder each: logs, serving (health and metrics), client (how to reach the
// apiserver), leader (election by Leases) and usage (the arithmetic of quotas).
//
// Every component may import it; it imports nothing of ours. Heavy imports stay out: what logs or serving import, every process carries.
package component
