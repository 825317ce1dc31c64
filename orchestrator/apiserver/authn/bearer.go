package authn

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// bearer takes the user from a ServiceAccount token in the Authorization header, or in a WebSocket sub-protocol: a browser can set no header.
type bearer struct {
	tokens *token.Verifier
}

// Authenticate implements Authenticator.
func (b *bearer) Authenticate(r *http.Request) (*request.User, bool, error) {
	raw, rest, err := bearerToken(r)
	if raw == "" || err != nil {
		return nil, false, err
	}
	user, err := b.tokens.Verify(r.Context(), raw, nil)
	if err != nil {
		return nil, false, err
	}
	if rest != "" {
		// Whoever speaks the other protocols must neither agree to the token nor see it.
		r.Header.Set(protocolHeader, rest)
	}
	return user, true, nil
}

// bearerToken of a request, if any. One in a sub-protocol leaves the rest of that header.
func bearerToken(r *http.Request) (raw, rest string, err error) {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(credential), "", nil
	}
	return protocolToken(r)
}

const (
	protocolHeader = "Sec-Websocket-Protocol"
	// protocolPrefix begins the sub-protocol that is a token, in base64url without padding.
	protocolPrefix = "base64url.bearer.authorization.k8s.io."
)

// protocolToken is the token among the sub-protocols that a WebSocket client offers. It must offer another one, since the server agrees to one.
func protocolToken(r *http.Request) (raw, rest string, err error) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || !strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade") {
		return "", "", nil
	}
	var others []string
	for _, header := range r.Header.Values(protocolHeader) {
		for protocol := range strings.SplitSeq(header, ",") {
			protocol = strings.TrimSpace(protocol)
			encoded, ok := strings.CutPrefix(protocol, protocolPrefix)
			if !ok {
				others = append(others, protocol)
				continue
			}
			if raw != "" {
				return "", "", errors.New("multiple tokens in the WebSocket sub-protocols")
			}
			decoded, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil || len(decoded) == 0 || !utf8.Valid(decoded) {
				return "", "", errors.New("the token in a WebSocket sub-protocol is not encoded as base64url without padding")
			}
			raw = string(decoded)
		}
	}
	if raw != "" && len(others) == 0 {
		return "", "", errors.New("a token in a WebSocket sub-protocol needs another sub-protocol beside it")
	}
	return raw, strings.Join(others, ","), nil
}
