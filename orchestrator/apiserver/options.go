package apiserver

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// options are kube-apiserver's flags, by stock's names.
type options struct {
	bindAddress, advertiseAddress string
	securePort                    int
	certFile, keyFile             string
	clientCAFile                  string
	storage                       string
	etcd                          etcdOptions
	tokens                        tokenOptions
	frontProxy                    frontProxyOptions
	kubelet                       kubeletOptions
	admission                     admissionOptions
	serviceRange, nodePorts       string
	anonymous, profiling          bool
	drain                         time.Duration
	compressLists                 bool
	limits                        Limits
	logs                          *logs.Options
}

type etcdOptions struct {
	servers                   []string
	caFile, certFile, keyFile string
}

type tokenOptions struct {
	issuers, keyFiles, audiences []string
	signingKeyFile, jwksURI      string
}

type frontProxyOptions struct {
	caFile, certFile, keyFile                                string
	names, userHeaders, uidHeaders, groupHeaders, extraHeads []string
}

// admissionOptions are names of plugins.
type admissionOptions struct{ enable, disable []string }

type kubeletOptions struct {
	caFile, certFile, keyFile string
	addressTypes              []string
}

// accepted are flags of stock's apiserver that change nothing here, with the reason.
var accepted = map[string]string{
	"authorization-mode":                      "always Node,RBAC",
	"enable-bootstrap-token-auth":             "bootstrap tokens are not supported",
	"allow-privileged":                        "privileged pods are always allowed; Pod Security decides",
	"tls-min-version":                         "TLS 1.2",
	"audit-log-path":                          "no audit log is written",
	"runtime-config":                          "every version in the catalogue is served",
	"feature-gates":                           "there are no gates",
	"service-account-extend-token-expiration": "tokens last as long as asked",
}

func (o *options) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.bindAddress, "bind-address", "0.0.0.0", "address to serve on")
	fs.StringVar(&o.advertiseAddress, "advertise-address", "", "address at which the cluster reaches this apiserver")
	fs.IntVar(&o.securePort, "secure-port", 6443, "port to serve on")
	fs.StringVar(&o.certFile, "tls-cert-file", "", "serving certificate (default: a self-signed one)")
	fs.StringVar(&o.keyFile, "tls-private-key-file", "", "its key")
	fs.StringVar(&o.clientCAFile, "client-ca-file", "", "CA of client certificates")
	fs.StringVar(&o.storage, "storage-backend", "etcd3", "etcd3, or memory for tests: everything is lost at the end of the process")
	fs.StringSliceVar(&o.etcd.servers, "etcd-servers", []string{"http://127.0.0.1:2379"}, "URLs of etcd")
	fs.StringVar(&o.etcd.caFile, "etcd-cafile", "", "CA of etcd's certificate")
	fs.StringVar(&o.etcd.certFile, "etcd-certfile", "", "client certificate for etcd")
	fs.StringVar(&o.etcd.keyFile, "etcd-keyfile", "", "its key")
	fs.StringVar(&o.serviceRange, "service-cluster-ip-range", "10.0.0.0/24", "addresses of Services")
	fs.StringVar(&o.nodePorts, "service-node-port-range", "30000-32767", "node ports of Services")
	fs.BoolVar(&o.anonymous, "anonymous-auth", true, "let requests without credentials in as system:anonymous")
	fs.StringSliceVar(&o.admission.enable, "enable-admission-plugins", nil, "admission plugins to run besides those that run by default")
	fs.StringSliceVar(&o.admission.disable, "disable-admission-plugins", nil, "admission plugins not to run although they would by default")
	fs.BoolVar(&o.profiling, "profiling", true, "serve profiles at /debug/pprof to those who may get it")
	fs.DurationVar(&o.drain, "shutdown-grace-period", 3*time.Second, "how long open requests may take to end at shutdown")
	fs.BoolVar(&o.compressLists, "compress-lists", false, "send lists of 128 KiB and more compressed to clients that accept gzip, as stock does: fewer bytes for several times the CPU")
	fs.IntVar(&o.limits.Reading, "max-requests-inflight", 400, "how many requests that change nothing are served at a time, without watches and other streams: 0 is no limit")
	fs.IntVar(&o.limits.Mutating, "max-mutating-requests-inflight", 200, "how many requests that change something are served at a time: 0 is no limit")
	fs.DurationVar(&o.limits.Request, "request-timeout", defaultRequest, "how long a request may take that is no stream, its body and its answer included")
	o.addTokens(fs)
	o.addPeers(fs)
	for name, reason := range accepted {
		fs.String(name, "", "accepted, without effect: "+reason)
		fs.Lookup(name).NoOptDefVal = "true"
	}
	o.logs = logs.AddFlags(fs)
}

func (o *options) addTokens(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.tokens.issuers, "service-account-issuer", nil, "who issues ServiceAccount tokens: the first one signs, the others are accepted")
	fs.StringArrayVar(&o.tokens.keyFiles, "service-account-key-file", nil, "keys that verify ServiceAccount tokens")
	fs.StringVar(&o.tokens.signingKeyFile, "service-account-signing-key-file", "", "key that signs ServiceAccount tokens")
	fs.StringSliceVar(&o.tokens.audiences, "api-audiences", nil, "audiences of this API (default: the issuers)")
	fs.StringVar(&o.tokens.jwksURI, "service-account-jwks-uri", "", "where the keys are published (default: this server)")
}

// addPeers registers how the server knows the front proxy and is known by kubelets.
func (o *options) addPeers(fs *pflag.FlagSet) {
	p := &o.frontProxy
	fs.StringVar(&p.caFile, "requestheader-client-ca-file", "", "CA of the front proxy's certificate")
	fs.StringSliceVar(&p.names, "requestheader-allowed-names", nil, "common names of the front proxy (default: any)")
	fs.StringSliceVar(&p.userHeaders, "requestheader-username-headers", []string{"X-Remote-User"}, "headers that name the user")
	fs.StringSliceVar(&p.uidHeaders, "requestheader-uid-headers", nil, "headers that hold the user's UID")
	fs.StringSliceVar(&p.groupHeaders, "requestheader-group-headers", []string{"X-Remote-Group"}, "headers that name groups")
	fs.StringSliceVar(&p.extraHeads, "requestheader-extra-headers-prefix", []string{"X-Remote-Extra-"}, "prefixes of headers with extra values")
	fs.StringVar(&p.certFile, "proxy-client-cert-file", "", "client certificate for aggregated APIs")
	fs.StringVar(&p.keyFile, "proxy-client-key-file", "", "its key")
	k := &o.kubelet
	fs.StringVar(&k.certFile, "kubelet-client-certificate", "", "client certificate for kubelets")
	fs.StringVar(&k.keyFile, "kubelet-client-key", "", "its key")
	fs.StringVar(&k.caFile, "kubelet-certificate-authority", "", "CA of kubelets' certificates (default: not verified)")
	fs.StringSliceVar(&k.addressTypes, "kubelet-preferred-address-types", strings.Split("Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP", ","), "which address of a node to use first")
}
