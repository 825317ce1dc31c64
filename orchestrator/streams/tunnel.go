package streams

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// tunnelPrefix marks WebSocket sub-protocols whose messages are the bytes of a SPDY connection (KEP-4006).
const tunnelPrefix = "SPDY/3.1+"

const (
	spdyUpgrade    = "SPDY/3.1"
	protocolHeader = "X-Stream-Protocol-Version"
)

// IsTunnel is true for a WebSocket request that carries SPDY inside.
func IsTunnel(r *http.Request) bool { return len(tunnelled(r)) > 0 }

// tunnelled lists the stream protocols that are to be spoken inside.
func tunnelled(r *http.Request) []string {
	if !IsUpgrade(r) || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return nil
	}
	var inside []string
	for _, p := range websocket.Subprotocols(r) {
		if name, ok := strings.CutPrefix(p, tunnelPrefix); ok {
			inside = append(inside, name)
		}
	}
	return inside
}

// Tunnel asks target for a SPDY connection and carries its bytes in the messages of the client's WebSocket, until both ends or the request's
// context are done. Another answer than 101 is passed to the client as it came.
func Tunnel(w http.ResponseWriter, r *http.Request, target *url.URL, cfg Config) {
	if err := tunnel(w, r, target, cfg); err != nil {
		cfg.fail(w, r, err)
	}
}

func tunnel(w http.ResponseWriter, r *http.Request, target *url.URL, cfg Config) error {
	b, err := open(r, spdyRequest(r, target, cfg), cfg)
	if err != nil {
		return err
	}
	defer b.end()
	if b.answer.StatusCode != http.StatusSwitchingProtocols {
		tell(w, r, b.answer, cfg)
		return nil
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{tunnelPrefix + b.answer.Header.Get(protocolHeader)}, CheckOrigin: anyOrigin}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // the client was answered
	}
	client := &messages{Conn: ws.NetConn(), ws: ws}
	defer client.Close()
	closeClient := context.AfterFunc(r.Context(), func() { client.Close() })
	defer closeClient()
	join(stream{client, client}, b.stream)
	return nil
}

// anyOrigin: whoever may do this was authenticated by more than a browser's cookies.
func anyOrigin(*http.Request) bool { return true }

func spdyRequest(r *http.Request, target *url.URL, cfg Config) *http.Request {
	out := outgoing(r, target, cfg)
	out.Method = http.MethodPost
	for name := range out.Header {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			out.Header.Del(name)
		}
	}
	out.Header.Set("Connection", "Upgrade")
	out.Header.Set("Upgrade", spdyUpgrade)
	out.Header[protocolHeader] = tunnelled(r)
	return out
}

// messages is a WebSocket read and written as one stream of bytes.
type messages struct {
	net.Conn
	ws      *websocket.Conn
	message io.Reader // what is left of the present one, nil between two
}

func (m *messages) Read(p []byte) (int, error) {
	for {
		if m.message == nil {
			_, next, err := m.ws.NextReader()
			if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
				return 0, io.EOF
			}
			if err != nil {
				return 0, err
			}
			m.message = next
		}
		n, err := m.message.Read(p)
		if err == io.EOF {
			m.message, err = nil, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

func (m *messages) Write(p []byte) (int, error) {
	if err := m.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close says goodbye first, so that the other side sees an end and no failure.
func (m *messages) Close() error {
	_ = m.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	return m.ws.Close()
}
