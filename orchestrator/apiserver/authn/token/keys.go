package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// algorithms that signatures may use.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384, jose.ES512}

// algorithm that a key signs with.
func algorithm(key crypto.PublicKey) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return jose.RS256, nil
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return jose.ES256, nil
		case 384:
			return jose.ES384, nil
		case 521:
			return jose.ES512, nil
		}
	}
	return "", fmt.Errorf("a key of type %T cannot sign tokens", key)
}

// keyID names a key by its hash, as stock does.
func keyID(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("name a token key: %w", err)
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// LoadSigner reads a private key from a PEM file (PKCS#1, PKCS#8 or EC).
func LoadSigner(file string) (crypto.Signer, error) {
	var signer crypto.Signer
	err := eachBlock(file, func(der []byte) {
		if key := private(der); key != nil && signer == nil {
			signer = key
		}
	})
	if err == nil && signer == nil {
		err = fmt.Errorf("%s holds no private key", file)
	}
	return signer, err
}

// LoadKeys reads every key of PEM files, public or private, as public keys.
func LoadKeys(files ...string) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for _, file := range files {
		before := len(keys)
		err := eachBlock(file, func(der []byte) {
			if key := public(der); key != nil {
				keys = append(keys, key)
			} else if signer := private(der); signer != nil {
				keys = append(keys, signer.Public())
			}
		})
		if err != nil {
			return nil, err
		}
		if len(keys) == before {
			return nil, fmt.Errorf("%s holds no key", file)
		}
	}
	return keys, nil
}

func eachBlock(file string, visit func(der []byte)) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		visit(block.Bytes)
	}
	return nil
}

func private(der []byte) crypto.Signer {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}

func public(der []byte) crypto.PublicKey {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		if _, err := algorithm(key); err == nil {
			return key
		}
	}
	if certificate, err := x509.ParseCertificate(der); err == nil {
		return certificate.PublicKey
	}
	return nil
}
