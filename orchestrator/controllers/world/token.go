package world

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// tokenSeconds is the life asked for; a token is replaced after four fifths of the life given.
	tokenSeconds     = 3600
	accountNamespace = "kube-system"
)

// asServiceAccount is config with the identity of a service account. The account is created when its first token is needed.
func asServiceAccount(config *rest.Config, process kubernetes.Interface, account string) *rest.Config {
	out := rest.AnonymousClientConfig(config)
	out.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return &identity{next: next, client: process, account: account}
	}
	return out
}

// identity puts a service account's token on each request.
type identity struct {
	next    http.RoundTripper
	client  kubernetes.Interface
	account string

	mu    sync.Mutex
	token string
	until time.Time
}

func (i *identity) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := i.current(r.Context())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := i.next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		i.drop(token)
	}
	return response, err
}

// drop forgets a token that the apiserver refused: its account may have been made anew.
func (i *identity) drop(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.token == token {
		i.token = ""
	}
}

func (i *identity) current(ctx context.Context) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.token != "" && time.Now().Before(i.until) {
		return i.token, nil
	}
	asked, seconds := time.Now(), int64(tokenSeconds)
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{ExpirationSeconds: &seconds}}
	accounts := i.client.CoreV1().ServiceAccounts(accountNamespace)
	answer, err := accounts.CreateToken(ctx, i.account, request, meta.CreateOptions{})
	if apierrors.IsNotFound(err) {
		account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Namespace: accountNamespace, Name: i.account}}
		if _, err := accounts.Create(ctx, account, meta.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return "", fmt.Errorf("create service account %s: %w", i.account, err)
		}
		answer, err = accounts.CreateToken(ctx, i.account, request, meta.CreateOptions{})
	}
	if err != nil {
		return "", fmt.Errorf("token of service account %s: %w", i.account, err)
	}
	life := answer.Status.ExpirationTimestamp.Sub(asked)
	i.token, i.until = answer.Status.Token, asked.Add(life*4/5)
	return i.token, nil
}
