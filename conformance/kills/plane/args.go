package plane

// advertised is an address for documentation (RFC 5737): the kubernetes Service may not lead to loopback, and nobody here follows it.
const advertised = "192.0.2.1"

func (p *Plane) etcdArgs() []string {
	client, peer := "http://127.0.0.1:"+p.ports[0], "http://127.0.0.1:"+p.ports[1]
	return []string{
		"--data-dir=" + p.secrets.file("etcd"), "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
	}
}

func (p *Plane) apiserverArgs() []string {
	file := p.secrets.file
	return []string{
		"--etcd-servers=http://127.0.0.1:" + p.ports[0], "--bind-address=127.0.0.1", "--advertise-address=" + advertised, "--secure-port=" + p.ports[2],
		"--client-ca-file=" + file("ca.crt"), "--tls-cert-file=" + file("server.crt"), "--tls-private-key-file=" + file("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + file("sa.pub"),
		"--service-account-signing-key-file=" + file("sa.key"), "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC",
	}
}

func (p *Plane) controllersArgs() []string {
	file := p.secrets.file
	return []string{
		"--kubeconfig=" + file("controllers.conf"), "--root-ca-file=" + file("ca.crt"), "--leader-elect=false",
		"--bind-address=127.0.0.1", "--secure-port=" + p.ports[3], "--use-service-account-credentials",
	}
}
