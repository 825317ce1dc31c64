package images

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

type dockerAuth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// Credentials are those of pull secrets that fit an image, the most specific first.
func Credentials(secrets []*corev1.Secret, image string) []*runtimeapi.AuthConfig {
	type candidate struct {
		key  string
		auth *runtimeapi.AuthConfig
	}
	var fitting []candidate
	target := registryAndPath(image)
	for _, secret := range secrets {
		for key, auth := range parse(secret) {
			host := hostAndPath(key)
			if !fits(host, target) {
				continue
			}
			fitting = append(fitting, candidate{host, convert(auth, key)})
		}
	}
	slices.SortStableFunc(fitting, func(a, b candidate) int { return len(b.key) - len(a.key) })
	configs := make([]*runtimeapi.AuthConfig, 0, len(fitting))
	for _, c := range fitting {
		configs = append(configs, c.auth)
	}
	return configs
}

// parse reads either form of pull secret; what cannot be read gives nothing, and the pull says what the registry answered.
func parse(secret *corev1.Secret) map[string]dockerAuth {
	switch secret.Type {
	case corev1.SecretTypeDockerConfigJson:
		var file struct {
			Auths map[string]dockerAuth `json:"auths"`
		}
		if json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], &file) == nil {
			return file.Auths
		}
	case corev1.SecretTypeDockercfg:
		var auths map[string]dockerAuth
		if json.Unmarshal(secret.Data[corev1.DockerConfigKey], &auths) == nil {
			return auths
		}
	}
	return nil
}

func convert(a dockerAuth, server string) *runtimeapi.AuthConfig {
	if a.Auth != "" {
		if plain, err := base64.StdEncoding.DecodeString(a.Auth); err == nil {
			if user, password, ok := strings.Cut(string(plain), ":"); ok {
				a.Username, a.Password = user, strings.TrimRight(password, "\x00")
			}
		}
	}
	return &runtimeapi.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken, ServerAddress: server}
}

func hostAndPath(key string) string {
	if !strings.Contains(key, "://") {
		key = "https://" + key
	}
	u, err := url.Parse(key)
	if err != nil {
		return key
	}
	path := strings.TrimSuffix(u.Path, "/")
	if path == "/v1" || path == "/v2" {
		path = ""
	}
	host := u.Host
	if host == "index.docker.io" {
		host = "docker.io"
	}
	return host + path
}

// fits compares part by part; a part of the host may be a * (registry.*.example.com).
func fits(pattern, target string) bool {
	patternHost, patternPath, _ := strings.Cut(pattern, "/")
	host, path, _ := strings.Cut(target, "/")
	want, have := strings.Split(patternHost, "."), strings.Split(host, ".")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != have[i] {
			return false
		}
	}
	return patternPath == "" || path == patternPath || strings.HasPrefix(path, patternPath+"/")
}
