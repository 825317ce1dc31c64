package authn

import (
	"net/http"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// bearer takes the user from a ServiceAccount token in the Authorization header, or in a WebSocket sub-protocol.
type bearer struct {
	tokens *token.Verifier
}

// Authenticate implements Authenticator.
func (b *bearer) Authenticate(r *http.Request) (*request.User, bool, error) {
	raw := bearerToken(r)
	if raw == "" {
		return nil, false, nil
	}
	user, err := b.tokens.Verify(r.Context(), raw, nil)
	if err != nil {
		return nil, false, err
	}
	return user, true, nil
}

func bearerToken(r *http.Request) string {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(rest)
}
