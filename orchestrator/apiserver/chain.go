package apiserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// requestTimeout bounds every request that is no stream (stock's --request-timeout).
const requestTimeout = 60 * time.Second

// chain is what every request passes, in this order: recover, parse, time limit, authenticate, impersonate, authorize, routes.
type chain struct {
	authenticator authn.Authenticator
	authorizer    authz.Authorizer
	// barrier makes what is read from the cache as new as the request.
	barrier func(context.Context) error
	routes  http.Handler
	logger  *slog.Logger
}

func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer c.recover(w, r)
	started := time.Now()
	info := parse(r)
	ctx := r.Context()
	if !longRunning(info) {
		limit, err := timeLimit(r)
		if err != nil {
			endpoint.WriteError(w, r, err)
			return
		}
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	if err := c.admit(w, r.WithContext(ctx), info); err != nil {
		endpoint.WriteError(w, r, err)
	}
	c.logger.Log(ctx, slog.LevelInfo-3, "request", "verb", info.Verb, "path", r.URL.Path, "took", time.Since(started))
}

// timeLimit is what ?timeout= asks for, within the server's own.
func timeLimit(r *http.Request) (time.Duration, error) {
	asked := r.URL.Query().Get("timeout")
	if asked == "" {
		return requestTimeout, nil
	}
	limit, err := time.ParseDuration(asked)
	if err != nil {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("invalid timeout specified in the request URL - %v", err))
	}
	if limit <= 0 || limit > requestTimeout {
		return requestTimeout, nil
	}
	return limit, nil
}

// recover answers 500 for a handler that panicked, instead of breaking the connection.
func (c *chain) recover(w http.ResponseWriter, r *http.Request) {
	problem := recover()
	if problem == nil {
		return
	}
	if problem == http.ErrAbortHandler {
		panic(problem)
	}
	c.logger.Error("handler panicked", "path", r.URL.Path, "panic", problem, "stack", string(debug.Stack()))
	endpoint.WriteError(w, r, apierrors.NewInternalError(fmt.Errorf("this request caused the apiserver to panic; look in its log for details")))
}

// longRunning requests have no time limit of their own.
func longRunning(info *request.Info) bool {
	return info.Verb == "watch" || slices.Contains(streamed, info.Subresource)
}

// admit identifies and authorizes the sender, then hands the request to the routes.
func (c *chain) admit(w http.ResponseWriter, r *http.Request, info *request.Info) error {
	user, err := c.authenticate(r)
	if err != nil {
		return err
	}
	if user, err = c.impersonated(r, user); err != nil {
		return err
	}
	if err := c.authorize(r.Context(), attributes(r, user, info)); err != nil {
		return err
	}
	c.routes.ServeHTTP(w, r.WithContext(request.With(r.Context(), info, user)))
	return nil
}

// authenticate believes a refusal only after a barrier: the account may have been made a moment ago through another apiserver.
func (c *chain) authenticate(r *http.Request) (*request.User, error) {
	user, ok, err := c.authenticator.Authenticate(r)
	if ok && err == nil {
		return user, nil
	}
	if c.barrier(r.Context()) == nil {
		if user, ok, err = c.authenticator.Authenticate(r); ok && err == nil {
			return user, nil
		}
	}
	if err != nil {
		c.logger.Log(r.Context(), slog.LevelInfo-1, "authentication failed", "err", err)
	}
	return nil, apierrors.NewUnauthorized("Unauthorized")
}

// authorize believes a refusal only after a barrier, as authenticate does.
func (c *chain) authorize(ctx context.Context, a *authz.Attributes) error {
	decision, reason, err := c.authorizer.Authorize(ctx, a)
	if decision == authz.Allow {
		return nil
	}
	if c.barrier(ctx) == nil {
		if decision, reason, err = c.authorizer.Authorize(ctx, a); decision == authz.Allow {
			return nil
		}
	}
	if err != nil {
		c.logger.Log(ctx, slog.LevelInfo-1, "authorization", "err", err)
	}
	return Forbidden(a, reason)
}

// authorizeAlso decides about something that an admitted request does besides its own verb.
func (c *chain) authorizeAlso(ctx context.Context, info *request.Info) error {
	return c.authorize(ctx, &authz.Attributes{User: request.UserFrom(ctx), Info: *info})
}

// Forbidden is stock's 403.
func Forbidden(a *authz.Attributes, reason string) error {
	message := denial(a)
	if reason != "" {
		message += ": " + reason
	}
	if !a.IsResource {
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			Message: "forbidden: " + message, Details: &metav1.StatusDetails{},
		}}
	}
	return apierrors.NewForbidden(schema.GroupResource{Group: a.Group, Resource: a.Resource}, a.Name, fmt.Errorf("%s", message))
}

func denial(a *authz.Attributes) string {
	if !a.IsResource {
		return fmt.Sprintf("User %q cannot %s path %q", a.User.Name, a.Verb, a.Path)
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	message := fmt.Sprintf("User %q cannot %s resource %q in API group %q", a.User.Name, a.Verb, resource, a.Group)
	if a.Namespace != "" {
		return fmt.Sprintf("%s in the namespace %q", message, a.Namespace)
	}
	return message + " at the cluster scope"
}

func attributes(r *http.Request, user *request.User, info *request.Info) *authz.Attributes {
	a := &authz.Attributes{User: user, Info: *info}
	if r.URL.RawQuery == "" {
		return a
	}
	query := r.URL.Query()
	if s, err := fields.ParseSelector(query.Get("fieldSelector")); err == nil && !s.Empty() {
		a.FieldSelector = s
	}
	if s, err := labels.Parse(query.Get("labelSelector")); err == nil && !s.Empty() {
		a.LabelSelector = s
	}
	return a
}
