package balancer

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// tick is how exact the kernel's clock for that is.
const tick = 10 * time.Millisecond

// heardWithin tells whether the kernel received data on a connection within the last while. It asks the kernel, so that bytes may be moved by it
// alone (splice).
func heardWithin(c net.Conn, last time.Duration) bool {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return false
	}
	heard := false
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		heard = err == nil && info.Bytes_received > 0 && time.Duration(info.Last_data_recv)*time.Millisecond+tick < last
	})
	return heard
}

// heardSince tells whether a backend has sent anything on one of its connections since then.
func (p *pool) heardSince(b *backend, then time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := time.Since(then)
	for l := range b.open {
		if heardWithin(l.server, last) {
			return true
		}
	}
	return false
}
