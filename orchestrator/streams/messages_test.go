package streams

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestMessagesSpeaksTheProtocolsOfLogs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Messages(w, r, strings.NewReader("a line\n")) }))
	defer server.Close()
	for name, row := range map[string]struct {
		protocols []string
		want      string
		refused   bool
	}{
		"none":          {nil, "a line\n", false},
		"binary":        {[]string{"binary.k8s.io"}, "a line\n", false},
		"base64":        {[]string{"base64.binary.k8s.io"}, base64.StdEncoding.EncodeToString([]byte("a line\n")), false},
		"unknown first": {[]string{"v9", "binary.k8s.io"}, "a line\n", false},
		"unknown":       {[]string{"v9"}, "", true},
	} {
		dialer := websocket.Dialer{Subprotocols: row.protocols}
		ws, answer, err := dialer.DialContext(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
		if row.refused {
			if err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s: not refused: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, got, err := ws.ReadMessage()
		if err != nil || string(got) != row.want {
			t.Errorf("%s: read %q, %v; want %q", name, got, err, row.want)
		}
		if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("%s: the end was %v", name, err)
		}
		ws.Close()
	}
}
