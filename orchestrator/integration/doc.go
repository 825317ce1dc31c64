// Package integration runs a whole cluster in one process under the race detector: three etcd members, three apiservers behind the balancer,
// candidates for controller-manager and scheduler, and twenty hollow nodes, through five hundred pod lives and the loss of leaders.
//
// It holds tests only. They start every component by its own entry, as its executable does, with ports of their own; they judge what clients
// saw (held watches, acknowledged writes, bindings), and that the end of a context ends every goroutine.
package integration
