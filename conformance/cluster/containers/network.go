package containers

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// createNetwork makes a bridge without masquerade on a free /24. An internal network would drop pod traffic between nodes.
func (p *Provider) createNetwork(ctx context.Context, name string) (netip.Prefix, error) {
	subnet, err := p.freeSubnet(ctx)
	if err != nil {
		return netip.Prefix{}, err
	}
	_, err = p.docker.NetworkCreate(ctx, networkName(name), client.NetworkCreateOptions{
		Driver:  "bridge",
		Labels:  map[string]string{clusterLabel: name},
		Options: map[string]string{"com.docker.network.bridge.enable_ip_masquerade": "false"},
		IPAM:    &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet}}},
	})
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("create network %s on %s: %w", networkName(name), subnet, err)
	}
	return subnet, nil
}

func networkName(cluster string) string { return "plumb-" + cluster }

// freeSubnet is the first /24 of 172.28.0.0/14 that neither a Docker network nor an interface of this machine overlaps.
func (p *Provider) freeSubnet(ctx context.Context) (netip.Prefix, error) {
	taken, err := p.takenSubnets(ctx)
	if err != nil {
		return netip.Prefix{}, err
	}
	for second := 28; second < 32; second++ {
		for third := range 256 {
			candidate := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(second), byte(third), 0}), 24)
			if !overlapsAny(candidate, taken) {
				return candidate, nil
			}
		}
	}
	return netip.Prefix{}, fmt.Errorf("no free /24 in 172.28.0.0/14: remove unused networks with docker network prune")
}

func overlapsAny(p netip.Prefix, others []netip.Prefix) bool {
	for _, o := range others {
		if p.Overlaps(o) {
			return true
		}
	}
	return false
}

func (p *Provider) takenSubnets(ctx context.Context) ([]netip.Prefix, error) {
	list, err := p.docker.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	var taken []netip.Prefix
	for _, n := range list.Items {
		for _, c := range n.IPAM.Config {
			taken = append(taken, c.Subnet)
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
			taken = append(taken, prefix.Masked())
		}
	}
	return taken, nil
}
