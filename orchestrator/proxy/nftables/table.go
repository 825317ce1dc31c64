package nftables

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	nft "github.com/google/nftables"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// Table is the proxy's table of one IP family. It serves one goroutine at a time.
type Table struct {
	family  family
	options Options
	table   *nft.Table
	sets    []*nft.Set
	claims  *claims
	// picks are the chains that exist, by name.
	picks map[string]bool
	// synced tells that the kernel holds what claims says.
	synced bool
	// conn has socket buffers of buffer bytes; nil before the first transaction and after an error.
	conn   *nft.Conn
	buffer int
}

// IPv4 returns the table of IPv4. Nothing is sent before the first Apply.
func IPv4(o Options) *Table { return newTable(ipv4, o) }

// IPv6 returns the table of IPv6.
func IPv6(o Options) *Table { return newTable(ipv6, o) }

func newTable(f family, o Options) *Table {
	table := &nft.Table{Family: f.nft, Name: tableName}
	return &Table{family: f, options: o, table: table, sets: f.sets(table), claims: newClaims(), picks: map[string]bool{}}
}

// Apply makes fragments, by owner, what these owners have in the kernel, in one transaction. An empty fragment takes its owner away. Elements of
// the other IP family are ignored. After an error the next Apply repairs.
func (t *Table) Apply(fragments map[string]ruleset.Fragment) error {
	changed := changes{}
	for owner, fragment := range fragments {
		t.claims.set(owner, encodeFragment(t.family, fragment), changed)
	}
	if !t.synced {
		return t.resync()
	}
	gone, come := t.claims.delta(changed)
	return t.send(gone, come)
}

// Check reads the kernel's table back when somebody else has changed its rules, and repairs it.
func (t *Table) Check() error {
	if !t.synced {
		return t.resync()
	}
	intact, err := t.intact()
	if err != nil || intact {
		return err
	}
	return t.resync()
}

// resync brings the kernel's table from whatever it is to what claims says.
func (t *Table) resync() error {
	t.synced = false
	ours, err := t.intact()
	if err != nil {
		return err
	}
	if !ours {
		return t.rebuild()
	}
	kernel, err := t.read()
	if err != nil {
		return err
	}
	gone, come := t.claims.against(kernel)
	return t.send(gone, come)
}

// rebuild replaces the table in one transaction: no packet meets half of it.
func (t *Table) rebuild() error {
	_, come := t.claims.against(nil)
	conn, err := t.dial(len(come))
	if err != nil {
		return err
	}
	conn.AddTable(t.table)
	conn.DelTable(t.table)
	conn.AddTable(t.table)
	for _, set := range t.sets {
		if err := conn.AddSet(set, nil); err != nil {
			t.hangUp()
			return fmt.Errorf("define set %s: %w", set.Name, err)
		}
	}
	for _, c := range t.family.chains(t.options) {
		t.addChain(conn, c)
	}
	clear(t.picks)
	return t.commit(conn, nil, come)
}

// send commits a difference to a table that is ours.
func (t *Table) send(gone, come map[slot]content) error {
	if len(gone)+len(come) == 0 {
		t.synced = true
		return nil
	}
	conn, err := t.dial(len(gone) + len(come))
	if err != nil {
		return err
	}
	return t.commit(conn, gone, come)
}

func (t *Table) commit(conn *nft.Conn, gone, come map[slot]content) error {
	t.synced = false
	t.addPicks(conn, come)
	if err := errors.Join(t.each(gone, conn.SetDeleteElements), t.each(come, conn.SetAddElements)); err != nil {
		t.hangUp()
		return err
	}
	if err := conn.Flush(); err != nil {
		t.hangUp()
		return fmt.Errorf("commit %d deletions and %d additions to table %s: %w", len(gone), len(come), tableName, err)
	}
	t.synced = true
	return nil
}

// addPicks makes the chains that new elements lead to. They are never taken away: there are as many as there are numbers of endpoints.
func (t *Table) addPicks(conn *nft.Conn, come map[slot]content) {
	for s, c := range come {
		if s.set != ruleset.Services && s.set != ruleset.LocalServices || t.picks[string(c)] {
			continue
		}
		pick, ok := parseChainName(string(c))
		if !ok {
			continue
		}
		t.addChain(conn, t.family.pickChain(pick))
		t.picks[string(c)] = true
	}
}

// chunk is how many elements fit one message: an attribute holds 64 KiB, an element less than 160 bytes.
const chunk = 400

func (t *Table) each(elements map[slot]content, do func(*nft.Set, []nft.SetElement) error) error {
	var bySet [ruleset.Sets][]nft.SetElement
	for s, c := range elements {
		bySet[s.set] = append(bySet[s.set], element(s, c))
	}
	for set, list := range bySet {
		for part := range slices.Chunk(list, chunk) {
			if err := do(t.sets[set], part); err != nil {
				return fmt.Errorf("encode elements of %s: %w", t.sets[set].Name, err)
			}
		}
	}
	return nil
}

func (t *Table) addChain(conn *nft.Conn, c chain) {
	added := &nft.Chain{Name: c.name, Table: t.table}
	if c.hook != nil {
		added.Type, added.Hooknum, added.Priority = c.kind, c.hook, &c.priority
	}
	conn.AddChain(added)
	for _, rule := range c.rules {
		conn.AddRule(&nft.Rule{Table: t.table, Chain: added, Exprs: rule,
			UserData: userdata.AppendString(nil, userdata.TypeComment, t.options.fingerprint())})
	}
}

// dial returns a connection whose socket buffers hold a transaction of this many elements, and the answers to it: the system's default fails
// from a few hundred Services on. It is kept, since the kernel, when one is closed, waits until what it replaced is destroyed: 5 ms and more.
func (t *Table) dial(elements int) (*nft.Conn, error) {
	size := max(1<<20, 256*elements)
	if t.conn != nil && size <= t.buffer {
		return t.conn, nil
	}
	t.hangUp()
	options := []nft.ConnOption{nft.AsLasting(), nft.WithSockOptions(func(c *netlink.Conn) error {
		return errors.Join(c.SetWriteBuffer(size), c.SetReadBuffer(size))
	})}
	if t.options.NetNS != 0 {
		options = append(options, nft.WithNetNSFd(t.options.NetNS))
	}
	conn, err := nft.New(options...)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket to the packet filter: %w", err)
	}
	t.conn, t.buffer = conn, size
	return conn, nil
}

// hangUp closes the connection: after an error, answers to what failed may still lie in it.
func (t *Table) hangUp() {
	if t.conn != nil {
		_ = t.conn.CloseLasting()
	}
	t.conn, t.buffer = nil, 0
}

// Close ends the connection to the kernel. The table stays.
func (t *Table) Close() { t.hangUp() }

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
			s, c := decode(set, e)
			kernel[s] = c
		}
	}
	return kernel, nil
}

// parseChainName reads what chainName wrote.
func parseChainName(name string) (ruleset.Pick, bool) {
	var p ruleset.Pick
	rest, local := strings.CutPrefix(name, "local-")
	p.Local = local
	if _, err := fmt.Sscanf(rest, "pick-%d", &p.Of); err == nil {
		return p, name == chainName(p)
	}
	_, err := fmt.Sscanf(rest, "sticky-%d-pick-%d", &p.Sticky, &p.Of)
	return p, err == nil && name == chainName(p)
}
