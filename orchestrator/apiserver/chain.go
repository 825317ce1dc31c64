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

// visit is one request on its way through the chain. w and r are what the filters have made of them so far.
type visit struct {
	w       *reply
	r       *http.Request
	started time.Time
	info    *request.Info
	user    *request.User
}

// handler answers a visit, or returns the error that is to be answered.
type handler func(v *visit) error

// filter is one stage of the chain: what it does around the stages behind it.
type filter struct {
	name   string
	around func(next handler) handler
}

// chain is what every request passes on its way to the routes.
type chain struct {
	authenticator authn.Authenticator
	authorizer    authz.Authorizer
	// barrier makes what is read from the cache as new as the request; ready tells whether there is anything to read yet.
	barrier func(context.Context) error
	ready   func() bool
	limits  Limits
	flights *flights
	metrics *metrics
	routes  *routes
	logger  *slog.Logger
	first   handler
}

// filters in the order in which a request meets them. An audit log belongs behind authentication; a fairer distribution takes the place of inflight.
func (c *chain) filters() []filter {
	return []filter{
		{"recover", c.recovering},
		{"log", c.logged},
		{"answer", c.answered},
		{"time", c.timed},
		{"probe", c.probed},
		{"authenticate", c.authenticated},
		{"impersonate", c.impersonating},
		{"inflight", c.flights.bounded},
		{"authorize", c.authorized},
		{"measure", c.metrics.measured},
	}
}

// link joins the filters, once there are routes behind them.
func (c *chain) link() {
	c.first = c.serve
	for _, f := range slices.Backward(c.filters()) {
		c.first = f.around(c.first)
	}
}

// ServeHTTP implements http.Handler.
func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{w: newReply(w), r: r, started: time.Now(), info: parse(r)}
	_ = c.first(v) // it has been answered
}

// serve is the end of the chain.
func (c *chain) serve(v *visit) error {
	c.routes.ServeHTTP(v.w, v.r.WithContext(request.With(v.r.Context(), v.info, v.user)))
	return nil
}

func (c *chain) logged(next handler) handler {
	return func(v *visit) error {
		err := next(v)
		c.logger.Log(v.r.Context(), slog.LevelInfo-3, "request", "verb", v.info.Verb, "path", v.r.URL.Path, "code", v.w.code, "took", time.Since(v.started))
		return err
	}
}

// answered writes the error that the stages behind it end with.
func (c *chain) answered(next handler) handler {
	return func(v *visit) error {
		err := next(v)
		if err != nil {
			endpoint.WriteError(v.w, v.r, err)
		}
		return err
	}
}

// probed answers questions about this process's health at once while it has nothing to judge their sender by: they say nothing about the cluster.
func (c *chain) probed(next handler) handler {
	return func(v *visit) error {
		if !isProbe(v.info) || c.ready() {
			return next(v)
		}
		v.user = &request.User{Name: request.Anonymous, Groups: []string{request.UnauthenticatedGrp}}
		return c.serve(v)
	}
}

func (c *chain) authenticated(next handler) handler {
	return func(v *visit) (err error) {
		if v.user, err = c.authenticate(v.r); err != nil {
			return err
		}
		return next(v)
	}
}

func (c *chain) impersonating(next handler) handler {
	return func(v *visit) (err error) {
		if v.user, err = c.impersonated(v.r, v.user); err != nil {
			return err
		}
		return next(v)
	}
}

func (c *chain) authorized(next handler) handler {
	return func(v *visit) error {
		if err := c.authorize(v.r.Context(), attributes(v.r, v.user, v.info)); err != nil {
			return err
		}
		return next(v)
	}
}

// recovering answers 500 for a handler that panicked, instead of breaking the connection.
func (c *chain) recovering(next handler) handler {
	return func(v *visit) (err error) {
		defer func() {
			problem := recover()
			if problem == nil {
				return
			}
			if problem == http.ErrAbortHandler {
				panic(problem)
			}
			c.logger.Error("handler panicked", "path", v.r.URL.Path, "panic", problem, "stack", string(debug.Stack()))
			err = apierrors.NewInternalError(fmt.Errorf("this request caused the apiserver to panic; look in its log for details"))
			endpoint.WriteError(v.w, v.r, err)
		}()
		return next(v)
	}
}

// longRunning requests have no time limit of their own.
func longRunning(info *request.Info) bool {
	return info.Verb == "watch" || slices.Contains(streamed, info.Subresource)
}

// authenticate believes a refusal only after a barrier: the account may have been made a moment ago through another apiserver. Without one nobody
// knows, and a client that is told 401 throws its credential away.
func (c *chain) authenticate(r *http.Request) (*request.User, error) {
	user, ok, err := c.authenticator.Authenticate(r)
	if ok && err == nil {
		return user, nil
	}
	if err := c.barrier(r.Context()); err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	if user, ok, err = c.authenticator.Authenticate(r); ok && err == nil {
		return user, nil
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
	if err := c.barrier(ctx); err != nil {
		return fmt.Errorf("authorize: %w", err)
	}
	if decision, reason, err = c.authorizer.Authorize(ctx, a); decision == authz.Allow {
		return nil
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
