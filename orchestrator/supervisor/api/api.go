// Package api is the few requests that a supervisor makes of the apiserver: JSON over HTTP, without typed clients, because PID 1 is in every
// node's memory for good. It is fed a kubeconfig, and used by the add-ons and by the release of dead leaders' Leases.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
)

// MergePatch is the media type of JSON merge patches (RFC 7386).
const MergePatch = "application/merge-patch+json"

// Object is any API object.
type Object = map[string]any

// Client asks one apiserver.
type Client struct {
	base string
	http *http.Client
}

// StatusError is an answer other than 2xx.
type StatusError struct {
	Code    int
	Request string
	Message string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s: %d: %s", e.Request, e.Code, e.Message) }

// IsCode tells whether an error is an answer with this status code.
func IsCode(err error, code int) bool {
	var refused *StatusError
	return errors.As(err, &refused) && refused.Code == code
}

// New makes a client of a kubeconfig's current context.
func New(kubeconfig string, timeout time.Duration) (*Client, error) {
	cfg, err := client.Config(kubeconfig, "supervisor")
	if err != nil {
		return nil, err
	}
	cfg.Timeout = timeout
	doer, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig=%s: %w", kubeconfig, err)
	}
	return &Client{base: strings.TrimSuffix(cfg.Host, "/"), http: doer}, nil
}

// Get reads an object.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// Create posts an object to a collection; an object that is there already is left as it is, without error.
func (c *Client) Create(ctx context.Context, path string, object any) error {
	err := c.do(ctx, http.MethodPost, path, "application/json", object, nil)
	if IsCode(err, http.StatusConflict) {
		return nil
	}
	return err
}

// Update replaces an object.
func (c *Client) Update(ctx context.Context, path string, object any) error {
	return c.do(ctx, http.MethodPut, path, "application/json", object, nil)
}

// Patch applies a JSON merge patch.
func (c *Client) Patch(ctx context.Context, path string, patch any) error {
	return c.do(ctx, http.MethodPatch, path, MergePatch, patch, nil)
}

func (c *Client) do(ctx context.Context, method, path, mediaType string, body, into any) error {
	what := method + " " + path
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	request.Header.Set("Accept", "application/json")
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if response.StatusCode/100 != 2 {
		var status struct{ Message string }
		_ = json.Unmarshal(answer, &status) // what is not a Status has no message; the code says enough
		return &StatusError{Code: response.StatusCode, Request: what, Message: status.Message}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
