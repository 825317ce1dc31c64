package cni

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/allocation"
	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/hostport"
	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/link"
)

// add connects a pod. A second call for the same interface replaces the first one's work and gives the same address.
func add(env Environment, config *Config) (*Result, error) {
	owner, err := env.owner()
	if err != nil {
		return nil, err
	}
	if env.NetNS == "" {
		return nil, failure(codeInvalidEnvironment, "CNI_NETNS is empty")
	}
	ranges, err := config.ranges()
	if err != nil {
		return nil, err
	}
	ports, err := config.ports()
	if err != nil {
		return nil, err
	}
	mine, err := allocate(config, owner, ranges, ports)
	if err != nil {
		return nil, err
	}
	cfg := linkConfig(env, config, mine)
	if err := link.Add(cfg); err != nil {
		return nil, errors.Join(err, release(config, owner))
	}
	return result(config, cfg), nil
}

func linkConfig(env Environment, config *Config, a allocation.Allocation) link.Config {
	return link.Config{
		Container: a.Container, Interface: a.Interface, NetNS: env.NetNS, Addresses: a.Addresses, MTU: config.MTU, Loopback: len(a.Ports) > 0,
	}
}

func allocate(config *Config, owner allocation.Owner, ranges []netip.Prefix, ports []allocation.Port) (allocation.Allocation, error) {
	var mine allocation.Allocation
	err := allocation.Change(config.folder(), func(book *allocation.Book) error {
		before, _ := book.Find(owner)
		a, err := book.Allocate(owner, ranges, ports)
		if errors.Is(err, allocation.ErrFull) {
			return failure(codeTryLater, "allocate an address: %w", err)
		}
		if err != nil {
			return err
		}
		mine = a
		if len(ports)+len(before.Ports) == 0 {
			return nil
		}
		return hostport.Replace(book.Allocations)
	})
	return mine, err
}

// release gives back the address, once nothing uses it any more.
func release(config *Config, owner allocation.Owner) error {
	return allocation.Change(config.folder(), func(book *allocation.Book) error { return releaseIn(book, owner) })
}

func releaseIn(book *allocation.Book, owner allocation.Owner) error {
	before, _ := book.Find(owner)
	book.Release(owner)
	if len(before.Ports) == 0 {
		return nil
	}
	return hostport.Replace(book.Allocations)
}

// del undoes add, whatever is left of it.
func del(env Environment, config *Config) error {
	owner, err := env.owner()
	if err != nil {
		return err
	}
	if err := link.Delete(owner.Container, owner.Interface); err != nil {
		return err
	}
	return release(config, owner)
}

func check(env Environment, config *Config) error {
	owner, err := env.owner()
	if err != nil {
		return err
	}
	book, err := allocation.Read(config.folder())
	if err != nil {
		return err
	}
	mine, ok := book.Find(owner)
	if !ok {
		return failure(codeFailed, "interface %s of %s has no address", owner.Interface, owner.Container)
	}
	return link.Check(linkConfig(env, config, mine))
}

// collect takes away what belongs to no attachment that the runtime knows.
func collect(config *Config) error {
	return allocation.Change(config.folder(), func(book *allocation.Book) error {
		for _, a := range slices.Clone(book.Allocations) {
			if slices.Contains(config.ValidAttachments, attachment{a.Container, a.Interface}) {
				continue
			}
			if err := link.Delete(a.Container, a.Interface); err != nil {
				return err
			}
			if err := releaseIn(book, a.Owner); err != nil {
				return err
			}
		}
		return nil
	})
}

// status tells whether ADD can be served.
func status(config *Config) error {
	if _, err := config.ranges(); err != nil {
		return failure(codeUnavailable, "%w", err)
	}
	if _, err := allocation.Read(config.folder()); err != nil {
		return failure(codeUnavailable, "%w", err)
	}
	return nil
}

func result(config *Config, cfg link.Config) *Result {
	out := &Result{
		CNIVersion: config.CNIVersion,
		Interfaces: []interfaceOf{
			{Name: link.HostName(cfg.Container, cfg.Interface)},
			{Name: cfg.Interface, MAC: link.MAC(cfg.Addresses[0]).String(), Sandbox: cfg.NetNS},
		},
		DNS: map[string]any{},
	}
	for _, ip := range cfg.Addresses {
		gateway := link.Gateway(ip).String()
		out.IPs = append(out.IPs, address{Address: netip.PrefixFrom(ip, ip.BitLen()).String(), Gateway: gateway, Interface: 1})
		everywhere := "0.0.0.0/0"
		if ip.Is6() {
			everywhere = "::/0"
		}
		out.Routes = append(out.Routes, route{Destination: everywhere, Gateway: gateway})
	}
	return out
}
