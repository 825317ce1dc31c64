package token

import (
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Paths of the discovery documents (OpenID Connect Discovery 1.0).
const (
	ConfigurationPath = "/.well-known/openid-configuration"
	KeysPath          = "/openid/v1/jwks"
)

// Documents are the two answers that let others verify our tokens.
type Documents struct {
	Configuration, Keys []byte
}

// NewDocuments describes an issuer whose keys are served at keysURI.
func NewDocuments(issuer, keysURI string, keys []crypto.PublicKey) (*Documents, error) {
	set := jose.JSONWebKeySet{}
	var algs []string
	for _, key := range keys {
		id, err := keyID(key)
		if err != nil {
			return nil, err
		}
		alg, err := algorithm(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(alg), Use: "sig"})
		algs = append(algs, string(alg))
	}
	slices.Sort(algs)
	configuration, err := json.Marshal(struct {
		Issuer        string   `json:"issuer"`
		KeysURI       string   `json:"jwks_uri"`
		ResponseTypes []string `json:"response_types_supported"`
		Subjects      []string `json:"subject_types_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	}{issuer, keysURI, []string{"id_token"}, []string{"public"}, slices.Compact(algs)})
	if err != nil {
		return nil, fmt.Errorf("encode the discovery document: %w", err)
	}
	encoded, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode the key set: %w", err)
	}
	return &Documents{Configuration: configuration, Keys: encoded}, nil
}

// ServeHTTP answers for both paths.
func (d *Documents) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if strings.TrimSuffix(r.URL.Path, "/") == KeysPath {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(d.Keys)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(d.Configuration)
}
