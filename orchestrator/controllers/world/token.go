package world

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

const (
	// tokenSeconds is the life asked for; a token is replaced after four fifths of the life given.
	tokenSeconds     = 3600
	accountNamespace = "kube-system"
)

// account is a service account that a controller acts as. It is created when its first token is needed.
type account struct {
	// client asks as the process.
	client kubernetes.Interface
	name   string

	mu    sync.Mutex
	token string
	until time.Time
}

// as is config with the identity of a service account.
func (a *account) as(config *rest.Config) *rest.Config {
	out := rest.AnonymousClientConfig(config)
	out.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return &identity{next, a} }
	return out
}

// identity puts an account's token on each request.
type identity struct {
	next    http.RoundTripper
	account *account
}

func (i *identity) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := i.account.current(r.Context(), 0)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := i.next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		i.account.drop(token)
	}
	return response, err
}

// drop forgets a token that the apiserver refused: its account may have been made anew.
func (a *account) drop(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == token {
		a.token = ""
	}
}

// current is a token that is good for at least a while yet.
func (a *account) current(ctx context.Context, while time.Duration) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && time.Now().Add(while).Before(a.until) {
		return a.token, nil
	}
	asked, seconds := time.Now(), int64(tokenSeconds)
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{ExpirationSeconds: &seconds}}
	accounts := a.client.CoreV1().ServiceAccounts(accountNamespace)
	answer, err := accounts.CreateToken(ctx, a.name, request, meta.CreateOptions{})
	if apierrors.IsNotFound(err) {
		made := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Namespace: accountNamespace, Name: a.name}}
		if _, err := accounts.Create(ctx, made, meta.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return "", fmt.Errorf("create service account %s: %w", a.name, err)
		}
		answer, err = accounts.CreateToken(ctx, a.name, request, meta.CreateOptions{})
	}
	if err != nil {
		return "", fmt.Errorf("token of service account %s: %w", a.name, err)
	}
	life := answer.Status.ExpirationTimestamp.Sub(asked)
	a.token, a.until = answer.Status.Token, asked.Add(life*4/5)
	return a.token, nil
}

// tokenCheck is how often KeepTokens looks for tokens that are about to end, tokenTimeout how long an answer may take: the account's
// controller waits for it.
const (
	tokenCheck   = time.Minute
	tokenTimeout = 2 * time.Second
)

// KeepTokens sees that every World that was made has a token at hand, until ctx ends: a standby that is elected then writes at once.
func (s *Shared) KeepTokens(ctx context.Context) {
	ticker := time.NewTicker(tokenCheck)
	defer ticker.Stop()
	for {
		s.mu.Lock()
		all := slices.Clone(s.accounts)
		s.mu.Unlock()
		for _, a := range all {
			one, cancel := context.WithTimeout(ctx, tokenTimeout)
			if _, err := a.current(one, 2*tokenCheck); err != nil && ctx.Err() == nil {
				s.logger.Log(ctx, logs.V(2), "keep a token", "error", err)
			}
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
