package nftables

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	// suspects are what the kernel has not accepted yet, by owner.
	suspects map[string]suspect
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
	return &Table{family: f, options: o, table: table, sets: f.sets(table), claims: newClaims(), picks: map[string]bool{},
		suspects: map[string]suspect{}}
}

// Apply makes fragments, by owner, what these owners have in the kernel, in one transaction. An empty fragment takes its owner away. Elements of
// the other IP family are ignored.
//
// When the kernel refuses, as many transactions follow as it takes to find out whose elements it refuses. Those owners keep what they had before
// and are returned with the reason; all others get what they should have. An error is nobody's fault: the next Apply tries all that is left.
func (t *Table) Apply(fragments map[string]ruleset.Fragment) (refused map[string]error, err error) {
	for owner, fragment := range fragments {
		s, again := t.suspects[owner]
		if !again {
			s.before = t.claims.wants(owner)
		}
		s.want = encodeFragment(t.family, fragment)
		t.suspects[owner] = s
	}
	for owner, s := range t.suspects {
		t.claims.set(owner, s.want)
	}
	if t.synced {
		err = t.send(false)
	} else {
		err = t.resync(false)
	}
	if errors.Is(err, errRefused) {
		return t.isolate()
	}
	if err == nil {
		clear(t.suspects)
	}
	return nil, err
}

// Check finds out whether somebody else has changed the rules in the kernel. If so, the next Apply repairs them.
func (t *Table) Check() error {
	intact, err := t.intact()
	t.synced = t.synced && intact
	return err
}

// resync brings the kernel's table from whatever it is to what claims says.
func (t *Table) resync(sparing bool) error {
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
	t.claims.compare(kernel)
	return t.send(sparing)
}

// rebuild replaces the table in one transaction: no packet meets half of it.
func (t *Table) rebuild() error {
	t.claims.compare(nil)
	gone, come := t.claims.delta(false)
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
	return t.commit(conn, gone, come)
}

// send commits the difference to a table that is ours.
func (t *Table) send(sparing bool) error {
	gone, come := t.claims.delta(sparing)
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
	t.family.spareRanges(gone, come)
	picks := t.addPicks(conn, come)
	err := errors.Join(t.each(gone, conn.SetDeleteElements), t.each(come, conn.SetAddElements))
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.hangUp()
		return t.refusal(err, len(gone), len(come))
	}
	t.claims.programmed(gone, come)
	for _, name := range picks {
		t.picks[name] = true
	}
	t.synced = true
	return nil
}

// addPicks makes the chains that new elements lead to, and returns their names. They are never taken away: there are as many as there are numbers
// of endpoints.
func (t *Table) addPicks(conn *nft.Conn, come map[slot]content) []string {
	var added []string
	for s, c := range come {
		if s.set != ruleset.Services && s.set != ruleset.LocalServices || t.picks[string(c)] || slices.Contains(added, string(c)) {
			continue
		}
		pick, ok := parseChainName(string(c))
		if !ok {
			continue
		}
		t.addChain(conn, t.family.pickChain(pick))
		added = append(added, string(c))
	}
	return added
}

// chunk is how many elements fit one message: an attribute holds 64 KiB, an element less than 160 bytes.
const chunk = 400

func (t *Table) each(elements map[slot]content, do func(*nft.Set, []nft.SetElement) error) error {
	var bySet [ruleset.Sets][]nft.SetElement
	for s, c := range elements {
		bySet[s.set] = append(bySet[s.set], t.family.elements(s, c)...)
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
