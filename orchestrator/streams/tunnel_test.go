package streams

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// spdyEcho is a target that agrees to SPDY and then repeats what it reads.
func spdyEcho(t *testing.T) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/portForward" || r.Method != http.MethodPost || r.Header.Get("Upgrade") != "SPDY/3.1" || r.Header.Get("Sec-WebSocket-Key") != "" {
			http.Error(w, "no such pod", http.StatusNotFound)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: "+
			r.Header.Get("X-Stream-Protocol-Version")+"\r\n\r\n")
		_, _ = io.CopyN(conn, buffered, 10)
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestTunnelCarriesSPDYInMessages(t *testing.T) {
	target := spdyEcho(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsTunnel(r) {
			t.Error("not known for a tunnel")
		}
		to := *target
		to.Path = r.URL.Path
		Tunnel(w, r, &to, Config{})
	}))
	defer front.Close()
	dialer := websocket.Dialer{Subprotocols: []string{"SPDY/3.1+portforward.k8s.io"}}
	address := strings.Replace(front.URL, "http", "ws", 1)
	ws, _, err := dialer.DialContext(t.Context(), address+"/portForward", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if ws.Subprotocol() != "SPDY/3.1+portforward.k8s.io" {
		t.Errorf("agreed on %q", ws.Subprotocol())
	}
	for _, part := range []string{"hello", "there"} {
		if err := ws.WriteMessage(websocket.BinaryMessage, []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	for {
		_, data, err := ws.ReadMessage()
		if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			break
		}
		if err != nil {
			t.Fatalf("after %q: %v", got.String(), err)
		}
		got.Write(data)
	}
	if got.String() != "hellothere" {
		t.Errorf("echo was %q", got.String())
	}
	_, answer, err := dialer.DialContext(t.Context(), address+"/other", nil)
	if err == nil || answer == nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("a refusal of the target became %v", err)
	}
}

func TestOnlyWebSocketsWithSPDYInsideAreTunnels(t *testing.T) {
	for name, row := range map[string]struct {
		header map[string]string
		want   bool
	}{
		"tunnel":            {map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "SPDY/3.1+portforward.k8s.io"}, true},
		"second protocol":   {map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket", "Sec-WebSocket-Protocol": "x, SPDY/3.1+portforward.k8s.io"}, true},
		"another WebSocket": {map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}, false},
		"SPDY itself":       {map[string]string{"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}, false},
		"plain":             {nil, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range row.header {
			r.Header.Set(k, v)
		}
		if got := IsTunnel(r); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
