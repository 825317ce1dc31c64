package streams

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// Sub-protocols of a WebSocket that only reads: raw bytes (also without any), or base64 text.
const (
	binaryMessages = "binary.k8s.io"
	base64Messages = "base64.binary.k8s.io"
)

// Messages answers a WebSocket request with what source holds, message by message as it comes, until source or the connection ends.
// It is for answers that a client may also follow by plain HTTP: logs. A client that names only unknown sub-protocols is refused.
func Messages(w http.ResponseWriter, r *http.Request, source io.Reader) {
	known := []string{binaryMessages, base64Messages}
	asked := websocket.Subprotocols(r)
	if len(asked) > 0 && !slices.ContainsFunc(asked, func(p string) bool { return slices.Contains(known, p) }) {
		http.Error(w, "none of the sub-protocols is known here", http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{Subprotocols: known, CheckOrigin: anyOrigin}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the client was answered
	}
	defer ws.Close()
	ctx, left := context.WithCancel(r.Context())
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	go func() {
		defer left()
		for {
			if _, _, err := ws.NextReader(); err != nil {
				return // the client left, or ws was closed below
			}
		}
	}()
	send(ws, source)
	_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
}

func send(ws *websocket.Conn, source io.Reader) {
	text := ws.Subprotocol() == base64Messages
	buffer := make([]byte, 4096)
	for {
		n, err := source.Read(buffer)
		if n > 0 {
			kind, message := websocket.BinaryMessage, buffer[:n]
			if text {
				kind, message = websocket.TextMessage, base64.StdEncoding.AppendEncode(nil, buffer[:n])
			}
			if ws.WriteMessage(kind, message) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
