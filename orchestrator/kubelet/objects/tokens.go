package objects

import (
	"context"
	"fmt"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Tokens asks for service account tokens bound to pods, and again when 80 % of a token's life, or 24 hours, are over.
type Tokens struct {
	Client corev1client.CoreV1Interface
	Now    func() time.Time

	mu    sync.Mutex
	known map[tokenKey]*token
}

type tokenKey struct {
	pod      types.UID
	audience string
	seconds  int64
}

type token struct {
	value   string
	refresh time.Time
	expires time.Time
}

const maxTokenAge = 24 * time.Hour

// Get returns a token for the pod's service account and when to ask for the next.
func (t *Tokens) Get(ctx context.Context, pod *corev1.Pod, audience string, seconds int64) (string, time.Time, error) {
	key := tokenKey{pod.UID, audience, seconds}
	now := t.Now()
	t.mu.Lock()
	held := t.known[key]
	t.mu.Unlock()
	if held != nil && now.Before(held.refresh) {
		return held.value, held.refresh, nil
	}
	fresh, err := t.request(ctx, pod, audience, seconds, now)
	if err != nil {
		if held != nil && now.Before(held.expires) {
			return held.value, now.Add(time.Minute), nil
		}
		return "", time.Time{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[tokenKey]*token{}
	}
	t.known[key] = fresh
	return fresh.value, fresh.refresh, nil
}

func (t *Tokens) request(ctx context.Context, pod *corev1.Pod, audience string, seconds int64, now time.Time) (*token, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if audience != "" {
		request.Spec.Audiences = []string{audience}
	}
	answer, err := t.Client.ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("failed to fetch token: %w", err)
	}
	expires := answer.Status.ExpirationTimestamp.Time
	life := min(expires.Sub(now)*8/10, maxTokenAge)
	return &token{value: answer.Status.Token, expires: expires, refresh: now.Add(life)}, nil
}

// Forget drops the tokens of a pod that is gone.
func (t *Tokens) Forget(uid types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.known {
		if key.pod == uid {
			delete(t.known, key)
		}
	}
}
