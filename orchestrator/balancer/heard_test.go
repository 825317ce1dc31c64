package balancer

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"
)

// A backend is heard while it sends, not by what it is sent.
func TestABackendIsHeardWhileItSends(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = near.Close() }()
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	p := newPool([]string{listener.Addr().String()}, slog.New(slog.DiscardHandler))
	b := p.backends[0]
	hourAgo := time.Now().Add(-time.Hour)
	if p.heardSince(b, hourAgo) {
		t.Error("heard without a connection")
	}
	b.open[&link{server: near}] = struct{}{}
	if _, err := near.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if p.heardSince(b, hourAgo) {
		t.Error("heard before it sent anything")
	}
	if _, err := far.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(near, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if !p.heardSince(b, hourAgo) {
		t.Error("not heard, although it has answered")
	}
	if p.heardSince(b, time.Now()) {
		t.Error("heard since now")
	}
}
