package world

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// A standby asks for its controllers' tokens before it is elected, and once for all the clients of one.
func TestAKeptTokenIsWhatEveryClientOfAControllerSends(t *testing.T) {
	asked, sent := make(chan string, 8), make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/token") {
			sent <- r.Header.Get("Authorization")
			http.NotFound(w, r)
			return
		}
		asked <- r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(&authentication.TokenRequest{
			TypeMeta: meta.TypeMeta{Kind: "TokenRequest", APIVersion: "authentication.k8s.io/v1"},
			Status:   authentication.TokenRequestStatus{Token: "kept", ExpirationTimestamp: meta.NewTime(time.Now().Add(time.Hour))},
		})
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
	shared, err := NewShared(config, Settings{}, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	w, err := shared.For("x-controller")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() { shared.KeepTokens(ctx); close(kept) }()
	if path := <-asked; path != "/api/v1/namespaces/kube-system/serviceaccounts/x-controller/token" {
		t.Errorf("asked for %s", path)
	}
	_, _ = w.Client.CoreV1().Pods("n").Get(ctx, "p", meta.GetOptions{})
	_, _ = w.Metadata.Resource(core.SchemeGroupVersion.WithResource("pods")).Namespace("n").Get(ctx, "p", meta.GetOptions{})
	for range 2 {
		if got := <-sent; got != "Bearer kept" {
			t.Errorf("sent %q", got)
		}
	}
	cancel()
	<-kept
	if n := len(asked); n != 0 {
		t.Errorf("asked %d times more", n)
	}
}
