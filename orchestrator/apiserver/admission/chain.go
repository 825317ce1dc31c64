package admission

import (
	"context"
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// Chain asks plugins in order.
type Chain struct {
	plugins []Plugin
}

// Config of the chain.
type Config struct {
	Reader objects.Reader
	// Enable and Disable are plugin names, as the flags give them; every plugin of the list below is on by default unless it says otherwise.
	Enable, Disable []string
}

// optIn are the plugins that run only when they are named.
var optIn = []string{"NodeRestriction"}

// NewChain lists the plugins in stock's order.
func NewChain(cfg Config) *Chain {
	all := []Plugin{
		&namespaceLifecycle{reader: cfg.Reader},
		&serviceAccount{reader: cfg.Reader},
		&nodeRestriction{reader: cfg.Reader},
		taintNodes{},
		&priority{reader: cfg.Reader},
		tolerationSeconds{},
	}
	c := &Chain{}
	for _, p := range all {
		on := !slices.Contains(optIn, p.Name()) || slices.Contains(cfg.Enable, p.Name())
		if on && !slices.Contains(cfg.Disable, p.Name()) {
			c.plugins = append(c.plugins, p)
		}
	}
	return c
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

// onlyAdmits fills in the half that a plugin does not have.
type onlyAdmits struct{}

func (onlyAdmits) Validate(context.Context, *Attributes) error { return nil }
