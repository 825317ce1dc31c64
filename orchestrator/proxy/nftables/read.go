package nftables

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	nft "github.com/google/nftables"
	"github.com/google/nftables/userdata"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// intact tells whether the kernel's table is one that this process could have made: each of its chains has all of its rules with our mark, and
// stock's kube-proxy has not worked on it since.
func (t *Table) intact() (bool, error) {
	conn, err := t.dial(0)
	if err != nil {
		return false, err
	}
	if _, err := conn.GetSetByName(t.table, stockMap); err == nil {
		return false, nil
	}
	for _, c := range t.family.chains(t.options) {
		rules, err := conn.GetRules(t.table, &nft.Chain{Name: c.name})
		if errors.Is(err, syscall.ENOENT) || err != nil && strings.Contains(err.Error(), syscall.ENOENT.Error()) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the rules of chain %s: %w", c.name, err)
		}
		if len(rules) != len(c.rules) || !slices.ContainsFunc(rules, t.marked) {
			return false, nil
		}
	}
	return true, nil
}

func (t *Table) marked(rule *nft.Rule) bool {
	mark, ok := userdata.GetString(rule.UserData, userdata.TypeComment)
	return ok && mark == t.options.fingerprint()
}

// read returns all elements that the kernel holds, and learns which pick chains exist.
func (t *Table) read() (map[slot]content, error) {
	conn, err := t.dial(len(t.claims.held))
	if err != nil {
		return nil, err
	}
	chains, err := conn.ListChainsOfTableFamily(t.family.nft)
	if err != nil {
		return nil, fmt.Errorf("list chains: %w", err)
	}
	clear(t.picks)
	for _, c := range chains {
		if _, ok := parseChainName(c.Name); ok && c.Table.Name == tableName {
			t.picks[c.Name] = true
		}
	}
	kernel := map[slot]content{}
	for set := range ruleset.Sets {
		elements, err := conn.GetSetElements(t.sets[set])
		if err != nil {
			return nil, fmt.Errorf("read set %s: %w", t.sets[set].Name, err)
		}
		for _, e := range elements {
			s, c := t.family.decode(set, e)
			if isRanged(set) {
				c = t.family.join(kernel[s], c)
			}
			kernel[s] = c
		}
	}
	return kernel, nil
}
