package admission

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// Chain asks plugins in order.
type Chain struct {
	plugins []Plugin
}

// Config of the chain.
type Config struct {
	Objects    objects.ReadWriter
	Authorizer authz.Authorizer
	// Enable and Disable are plugin names, as the flags give them; every plugin of the list below is on by default unless it says otherwise.
	Enable, Disable []string
	// Now tells the age of pods that are being deleted; nil is the real clock.
	Now func() time.Time
}

// optIn are the plugins that run only when they are named.
var optIn = []string{"NodeRestriction"}

// absent are stock's plugins that have nothing to do here: those that stock runs by default may be named, since what they guard is not served;
// the others are refused, because who enables them counts on them.
var absent = map[string]bool{
	"PodGroupProtection": true, "CertificateApproval": true, "CertificateSigning": true, "ClusterTrustBundleAttest": true, "CertificateSubjectRestriction": true,
	"PodTopologyLabels": true, "NodeDeclaredFeatureValidator": true, "PodResizeValidator": true, "MutatingAdmissionPolicy": true, "MutatingAdmissionWebhook": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionWebhook": true,
	"AlwaysAdmit": false, "AlwaysDeny": false, "NamespaceAutoProvision": false, "NamespaceExists": false, "LimitPodHardAntiAffinityTopology": false,
	"AlwaysPullImages": false, "ImagePolicyWebhook": false, "PodNodeSelector": false, "PodTolerationRestriction": false, "EventRateLimit": false,
	"ExtendedResourceToleration": false, "OwnerReferencesPermissionEnforcement": false, "DenyServiceExternalIPs": false,
}

// NewChain lists the plugins in stock's order. A name that is no plugin is an error.
func NewChain(cfg Config) (*Chain, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	security, err := newPodSecurity(cfg.Objects)
	if err != nil {
		return nil, err
	}
	all := []Plugin{
		&namespaceLifecycle{reader: cfg.Objects},
		&limitRanger{reader: cfg.Objects},
		&serviceAccount{reader: cfg.Objects},
		&nodeRestriction{reader: cfg.Objects, authorizer: cfg.Authorizer},
		taintNodes{},
		security,
		&priority{reader: cfg.Objects},
		tolerationSeconds{},
		&defaultStorageClass{reader: cfg.Objects},
		inUseProtection{},
		&claimResize{reader: cfg.Objects},
		&runtimeClass{reader: cfg.Objects},
		&defaultIngressClass{reader: cfg.Objects},
		&resourceQuota{objects: cfg.Objects, now: cfg.Now}, // last: what is charged should be what is stored
	}
	if err := check(all, cfg); err != nil {
		return nil, err
	}
	c := &Chain{}
	for _, p := range all {
		on := !slices.Contains(optIn, p.Name()) || slices.Contains(cfg.Enable, p.Name())
		if on && !slices.Contains(cfg.Disable, p.Name()) {
			c.plugins = append(c.plugins, p)
		}
	}
	return c, nil
}

// check the names of the flags.
func check(all []Plugin, cfg Config) error {
	present := func(name string) bool {
		return slices.ContainsFunc(all, func(p Plugin) bool { return p.Name() == name })
	}
	for _, name := range cfg.Enable {
		byDefault, stock := absent[name]
		switch {
		case present(name) || byDefault:
		case stock:
			return fmt.Errorf("enable-admission-plugins plugin %q is not implemented", name)
		default:
			return fmt.Errorf("enable-admission-plugins plugin %q is unknown", name)
		}
		if slices.Contains(cfg.Disable, name) {
			return fmt.Errorf("%q is in both --enable-admission-plugins and --disable-admission-plugins", name)
		}
	}
	for _, name := range cfg.Disable {
		if _, stock := absent[name]; !stock && !present(name) {
			return fmt.Errorf("disable-admission-plugins plugin %q is unknown", name)
		}
	}
	return nil
}

// String lists the plugins.
func (c *Chain) String() string {
	var names []string
	for _, p := range c.plugins {
		names = append(names, p.Name())
	}
	return strings.Join(names, ",")
}

// Admit lets every plugin alter the object; the first refusal ends it.
func (c *Chain) Admit(ctx context.Context, a *Attributes) error {
	return c.each(a, func(p Plugin) error { return p.Admit(ctx, a) })
}

// Validate lets every plugin refuse.
func (c *Chain) Validate(ctx context.Context, a *Attributes) error {
	return c.each(a, func(p Plugin) error { return p.Validate(ctx, a) })
}

func (c *Chain) each(a *Attributes, ask func(Plugin) error) error {
	for _, p := range c.plugins {
		if !p.Handles(a.Operation) {
			continue
		}
		if err := ask(p); err != nil {
			return err
		}
	}
	return nil
}

// onlyAdmits and onlyValidates fill in the half that a plugin does not have.
type onlyAdmits struct{}

func (onlyAdmits) Validate(context.Context, *Attributes) error { return nil }

type onlyValidates struct{}

func (onlyValidates) Admit(context.Context, *Attributes) error { return nil }
