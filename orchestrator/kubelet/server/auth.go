package server

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

// AuthConfig says who is let in.
type AuthConfig struct {
	NodeName string
	// ClientCA trusts client certificates, nil none.
	ClientCA *x509.CertPool
	// Reviews asks the API who a token belongs to, nil never.
	Reviews authenticationv1client.TokenReviewInterface
	// Access asks the API what a user may do; nil lets every authenticated user do everything (mode AlwaysAllow).
	Access    authorizationv1client.SubjectAccessReviewInterface
	Anonymous bool
	// How long answers are believed.
	TokenTTL, AllowTTL, DenyTTL time.Duration
}

// ReadCA loads certificates to trust.
func ReadCA(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

type user struct {
	name, uid string
	groups    []string
	extra     map[string]authorizationv1.ExtraValue
}

type auth struct {
	cfg    AuthConfig
	tokens memo[*user]
	access memo[bool]
}

// wrap lets only those through who may do what they ask for.
func (a *auth) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := a.who(r)
		if err != nil {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		for _, resource := range subresources(r.URL.Path) {
			allowed, err := a.may(r.Context(), u, verb(r.Method), resource, r.URL.Path)
			if err != nil {
				http.Error(w, fmt.Sprintf("Authorization error (user=%s, verb=%s, resource=nodes, subresource(s)=[%s])", u.name, verb(r.Method), resource), http.StatusInternalServerError)
				return
			}
			if allowed {
				next.ServeHTTP(w, r)
				return
			}
		}
		http.Error(w, fmt.Sprintf("Forbidden (user=%s, verb=%s, resource=nodes, subresource(s)=%v)", u.name, verb(r.Method), subresources(r.URL.Path)), http.StatusForbidden)
	})
}

// who authenticates: a client certificate, else a bearer token, else (when allowed) nobody in particular.
func (a *auth) who(r *http.Request) (*user, error) {
	if a.cfg.ClientCA != nil && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		leaf := r.TLS.PeerCertificates[0]
		intermediates := x509.NewCertPool()
		for _, c := range r.TLS.PeerCertificates[1:] {
			intermediates.AddCert(c)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: a.cfg.ClientCA, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if err == nil && leaf.Subject.CommonName != "" {
			return &user{name: leaf.Subject.CommonName, groups: append(leaf.Subject.Organization, "system:authenticated")}, nil
		}
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && a.cfg.Reviews != nil {
		return a.review(r.Context(), strings.TrimSpace(token))
	}
	if a.cfg.Anonymous && r.Header.Get("Authorization") == "" {
		return &user{name: "system:anonymous", groups: []string{"system:unauthenticated"}}, nil
	}
	return nil, fmt.Errorf("no credentials")
}

func (a *auth) review(ctx context.Context, token string) (*user, error) {
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(token)))
	if u, ok := a.tokens.get(key); ok {
		return u, nil
	}
	answer, err := a.cfg.Reviews.Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("review a token: %w", err)
	}
	if !answer.Status.Authenticated {
		return nil, fmt.Errorf("the token is not valid")
	}
	u := &user{name: answer.Status.User.Username, uid: answer.Status.User.UID, groups: answer.Status.User.Groups, extra: map[string]authorizationv1.ExtraValue{}}
	for k, v := range answer.Status.User.Extra {
		u.extra[k] = authorizationv1.ExtraValue(v)
	}
	a.tokens.put(key, u, a.cfg.TokenTTL)
	return u, nil
}

func (a *auth) may(ctx context.Context, u *user, verb, subresource, path string) (bool, error) {
	if a.cfg.Access == nil {
		return true, nil
	}
	key := strings.Join(append([]string{u.name, u.uid, verb, subresource}, u.groups...), "\x00")
	if allowed, ok := a.access.get(key); ok {
		return allowed, nil
	}
	answer, err := a.cfg.Access.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: u.name, UID: u.uid, Groups: u.groups, Extra: u.extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Version: "v1", Resource: "nodes", Subresource: subresource, Name: a.cfg.NodeName},
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask whether %s may %s nodes/%s: %w", u.name, verb, subresource, err)
	}
	ttl := a.cfg.DenyTTL
	if answer.Status.Allowed {
		ttl = a.cfg.AllowTTL
	}
	a.access.put(key, answer.Status.Allowed, ttl)
	return answer.Status.Allowed, nil
}

// subresources of nodes that open a path, any of them ("Kubelet authentication/authorization", with the fine-grained ones first).
func subresources(path string) []string {
	for _, row := range []struct{ prefix, subresource string }{{"/stats", "stats"}, {"/metrics", "metrics"}, {"/logs", "log"}} {
		if path == row.prefix || strings.HasPrefix(path, row.prefix+"/") {
			return []string{row.subresource}
		}
	}
	for _, row := range []struct{ prefix, subresource string }{{"/healthz", "healthz"}, {"/pods", "pods"}, {"/runningpods", "pods"}, {"/configz", "configz"}} {
		if path == row.prefix || strings.HasPrefix(path, row.prefix+"/") {
			return []string{row.subresource, "proxy"}
		}
	}
	return []string{"proxy"}
}

func verb(method string) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	}
	return "get"
}

// memo remembers answers for a while. It holds at most maxMemo of them.
type memo[T any] struct {
	mu sync.Mutex
	by map[string]remembered[T]
}

type remembered[T any] struct {
	value   T
	expires time.Time
}

const maxMemo = 4096

func (m *memo[T]) get(key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.by[key]
	return e.value, ok && time.Now().Before(e.expires)
}

func (m *memo[T]) put(key string, value T, ttl time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil || len(m.by) >= maxMemo {
		m.by = map[string]remembered[T]{}
	}
	m.by[key] = remembered[T]{value, time.Now().Add(ttl)}
}
