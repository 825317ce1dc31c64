package apiserver

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/allocate"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/bootstrap"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/escalation"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/subresource"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// partsBuilder makes the apiserver's parts from its flags.
type partsBuilder struct {
	*options
	logger   *slog.Logger
	store    store.Store
	clientCA []byte
	seeded   atomic.Bool
}

func (p *partsBuilder) build(registry *objects.Registry) (Parts, error) {
	authenticator, verifier, signer, err := p.authentication(registry)
	if err != nil {
		return Parts{}, err
	}
	authorizer, err := authz.New(registry, []string{authz.ModeNode, authz.ModeRBAC})
	if err != nil {
		return Parts{}, err
	}
	seeds, err := p.seeds()
	if err != nil {
		return Parts{}, err
	}
	services, err := p.services(registry)
	if err != nil {
		return Parts{}, err
	}
	kubelet, err := p.kubelet.client()
	if err != nil {
		return Parts{}, err
	}
	chain, err := admission.NewChain(admission.Config{Objects: registry, Authorizer: authorizer, Enable: p.admission.enable, Disable: p.admission.disable})
	if err != nil {
		return Parts{}, err
	}
	judge := escalation.New(chain, authorizer, registry)
	documents, err := p.issuerDocuments(verifier)
	if err != nil {
		return Parts{}, err
	}
	return Parts{
		Paths:         documents,
		Authenticator: authenticator, Authorizer: authorizer, Admission: judge,
		Reservations: map[schema.GroupResource]endpoint.Reservation{{Resource: "services"}: services},
		Mounts: subresource.Mounts(subresource.Config{
			Registry: registry, Admission: judge, Authorizer: authorizer, Tokens: verifier, Signer: signer, Audiences: p.tokens.forAPI(), Kubelet: kubelet, Now: time.Now,
		}),
		Tasks: []func(context.Context) error{
			func(ctx context.Context) error { return p.seed(ctx, registry, seeds) },
			p.endpoints(registry).Run,
			(&allocate.Repair{Services: services, Address: p.advertiseAddress, Logger: p.logger}).Run,
		},
		Ready: p.seeded.Load,
	}, nil
}

// advertised is where the cluster reaches this apiserver, host:port.
func (o *options) advertised() string {
	return net.JoinHostPort(o.advertiseAddress, strconv.Itoa(o.securePort))
}

// endpoints keeps this apiserver among the addresses of the kubernetes Service.
func (p *partsBuilder) endpoints(registry *objects.Registry) bootstrap.Endpoints {
	return bootstrap.Endpoints{Registry: registry, Store: p.store, Address: p.advertiseAddress, Port: int32(p.securePort), Seeded: p.seeded.Load, Logger: p.logger}
}

// services hands out what Services take exclusively: addresses and node ports.
func (p *partsBuilder) services(registry *objects.Registry) (*allocate.Services, error) {
	cidr, err := netip.ParsePrefix(p.serviceRange)
	if err != nil {
		return nil, fmt.Errorf("--service-cluster-ip-range=%s: %w", p.serviceRange, err)
	}
	ports, err := utilnet.ParsePortRange(p.nodePorts)
	if err != nil {
		return nil, fmt.Errorf("--service-node-port-range=%s: %w", p.nodePorts, err)
	}
	return allocate.New(allocate.Config{Objects: registry, Store: p.store, CIDR: cidr, FirstPort: int32(ports.Base), PortCount: int32(ports.Size)}), nil
}

// client is how this apiserver shows itself to kubelets.
func (k *kubeletOptions) client() (subresource.Kubelet, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: k.caFile == ""} //nolint:gosec // stock's default without --kubelet-certificate-authority
	if k.caFile != "" {
		pool, _, err := loadCA("--kubelet-certificate-authority", k.caFile)
		if err != nil {
			return subresource.Kubelet{}, err
		}
		cfg.RootCAs = pool
	}
	if k.certFile != "" {
		pair, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
		if err != nil {
			return subresource.Kubelet{}, fmt.Errorf("--kubelet-client-certificate=%s --kubelet-client-key=%s: %w", k.certFile, k.keyFile, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return subresource.Kubelet{TLS: cfg, AddressTypes: k.addressTypes}, nil
}

// forAPI are the audiences of this API.
func (t *tokenOptions) forAPI() []string {
	if len(t.audiences) > 0 {
		return t.audiences
	}
	return t.issuers
}

// authentication returns who knows users, and who verifies and signs ServiceAccount tokens (nil without keys).
func (p *partsBuilder) authentication(registry *objects.Registry) (authn.Authenticator, *token.Verifier, *token.Signer, error) {
	cfg := authn.Config{Anonymous: p.anonymous}
	var err error
	if p.clientCAFile != "" {
		if cfg.ClientCA, p.clientCA, err = loadCA("--client-ca-file", p.clientCAFile); err != nil {
			return nil, nil, nil, err
		}
	}
	if p.frontProxy.caFile != "" {
		pool, _, err := loadCA("--requestheader-client-ca-file", p.frontProxy.caFile)
		if err != nil {
			return nil, nil, nil, err
		}
		f := p.frontProxy
		cfg.FrontProxy = &authn.FrontProxy{CA: pool, AllowedNames: f.names, UserHeaders: f.userHeaders, UIDHeaders: f.uidHeaders, GroupHeaders: f.groupHeaders, ExtraPrefixes: f.extraHeads}
	}
	signer, err := p.tokens.signer()
	if err != nil {
		return nil, nil, nil, err
	}
	if cfg.Tokens, err = p.tokens.verifier(registry); err != nil {
		return nil, nil, nil, err
	}
	return authn.New(cfg), cfg.Tokens, signer, nil
}

// issuerDocuments let others verify this cluster's tokens. An issuer that is no https URL cannot be discovered (OpenID Connect Discovery 1.0).
func (p *partsBuilder) issuerDocuments(verifier *token.Verifier) (map[string]http.Handler, error) {
	if verifier == nil || len(p.tokens.issuers) == 0 || !strings.HasPrefix(p.tokens.issuers[0], "https://") {
		return nil, nil
	}
	keys := p.tokens.jwksURI
	if keys == "" {
		keys = "https://" + p.advertised() + token.KeysPath
	}
	documents, err := token.NewDocuments(p.tokens.issuers[0], keys, verifier.Keys)
	if err != nil {
		return nil, err
	}
	return map[string]http.Handler{token.ConfigurationPath: documents, token.KeysPath: documents}, nil
}

func (t *tokenOptions) signer() (*token.Signer, error) {
	if t.signingKeyFile == "" {
		return nil, nil
	}
	if len(t.issuers) == 0 {
		return nil, fmt.Errorf("--service-account-issuer is required with --service-account-signing-key-file")
	}
	key, err := token.LoadSigner(t.signingKeyFile)
	if err != nil {
		return nil, fmt.Errorf("--service-account-signing-key-file: %w", err)
	}
	return token.NewSigner(t.issuers[0], key, nil)
}

func (t *tokenOptions) verifier(registry *objects.Registry) (*token.Verifier, error) {
	files := t.keyFiles
	if len(files) == 0 && t.signingKeyFile != "" {
		files = []string{t.signingKeyFile}
	}
	if len(files) == 0 {
		return nil, nil
	}
	keys, err := token.LoadKeys(files...)
	if err != nil {
		return nil, fmt.Errorf("--service-account-key-file: %w", err)
	}
	return token.NewVerifier(token.VerifierConfig{Issuers: t.issuers, Keys: keys, Audiences: t.audiences, Reader: registry})
}

// seeds are the objects of a new cluster.
func (p *partsBuilder) seeds() ([]bootstrap.Object, error) {
	roles, err := bootstrap.Roles()
	if err != nil {
		return nil, err
	}
	cidr, err := netip.ParsePrefix(p.serviceRange)
	if err != nil {
		return nil, fmt.Errorf("--service-cluster-ip-range=%s: %w", p.serviceRange, err)
	}
	extension, err := bootstrap.ExtensionAuthentication(bootstrap.FrontProxy{ClientCA: string(p.clientCA)})
	if err != nil {
		return nil, err
	}
	all := append(bootstrap.Namespaces(), bootstrap.PriorityClasses()...)
	all = append(all, bootstrap.Service(cidr, int32(p.securePort))...)
	return append(append(all, extension), roles...), nil
}

// seedPause between attempts to write the first objects.
const seedPause = 200 * time.Millisecond

// seed writes what a new cluster lacks, as often as it takes.
func (p *partsBuilder) seed(ctx context.Context, registry *objects.Registry, seeds []bootstrap.Object) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		created, err := bootstrap.Seed(ctx, registry, seeds)
		if err == nil {
			p.logger.Info("bootstrap objects are there", "created", created)
			p.seeded.Store(true)
			return nil
		}
		p.logger.Warn("bootstrap objects not written", "err", err)
		timer.Reset(seedPause)
	}
}
