package token

import (
	"crypto"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Signer issues tokens.
type Signer struct {
	issuer string
	signer jose.Signer
	now    func() time.Time
}

// NewSigner signs as issuer with a private key.
func NewSigner(issuer string, key crypto.Signer, now func() time.Time) (*Signer, error) {
	alg, err := algorithm(key.Public())
	if err != nil {
		return nil, err
	}
	id, err := keyID(key.Public())
	if err != nil {
		return nil, err
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(alg)}}, nil)
	if err != nil {
		return nil, fmt.Errorf("make a token signer: %w", err)
	}
	if now == nil {
		now = time.Now
	}
	return &Signer{issuer: issuer, signer: s, now: now}, nil
}

// issued are the claims of a new token. Its audiences are an array, even of one: readers take that form for granted.
type issued struct {
	jwt.Claims
	Audience []string `json:"aud"`
	Private  Private  `json:"kubernetes.io"`
}

// Issue signs a token for a ServiceAccount. It returns the token and when it ends.
func (s *Signer) Issue(private Private, audiences []string, life time.Duration) (string, time.Time, error) {
	now := s.now()
	end := now.Add(life)
	all := issued{
		Claims: jwt.Claims{
			Issuer:    s.issuer,
			Subject:   request.ServiceAccountStart + private.Namespace + ":" + private.ServiceAccount.Name,
			Expiry:    jwt.NewNumericDate(end),
			NotBefore: jwt.NewNumericDate(now),
			IssuedAt:  jwt.NewNumericDate(now),
			ID:        string(uuid.NewUUID()),
		},
		Audience: audiences, Private: private,
	}
	text, err := jwt.Signed(s.signer).Claims(all).Serialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token for %s: %w", all.Subject, err)
	}
	return text, end, nil
}
