// Package component is what the components have in common, one folder each: logs, serving (health and metrics), client (how to reach the
// apiserver), leader (election by Leases), usage (the arithmetic of quotas) and kindfile (files of
// configuration kinds, of which no field is ignored).
//
// Every component may import it; it imports nothing of ours. Heavy imports stay out: what logs or serving import, every process carries.
package component
