package terminald

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/till"
)

// networkHosts are what a browser on the network may call this terminal.
func (c Config) networkHosts() ([]string, error) {
	own, err := addressesOf("/sys/class/net")
	return c.hostsAmong(own), err
}

// hostsAmong are the configured names, and where the page listens or else every private address of IPv4 among this terminal's
// own. What the hub would not certify is left out, such as the name of a proxy before the page.
func (c Config) hostsAmong(own []netip.Addr) (hosts []string) {
	hosts = slices.Clone(c.Page.Hosts)
	if host, _, err := net.SplitHostPort(c.Page.Network); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	} else {
		for _, a := range own {
			if a.Is4() && a.IsPrivate() {
				hosts = append(hosts, a.String())
			}
		}
	}
	for i, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			hosts[i] = ip.String()
		}
	}
	hosts = slices.DeleteFunc(hosts, func(h string) bool { return !authority.Private(h) })
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	return hosts[:min(len(hosts), authority.MaxHosts)]
}

// lamp says where the page is on the network, or why it is not.
func (n *network) lamp() till.Lamp {
	l := till.Lamp{Part: "Network page", Level: till.Warn}
	a, at := n.admission.Load(), n.address.Load()
	switch why := n.trouble.Load(); {
	case why != nil:
		l.Words = *why
	case a == nil || at == nil:
		l.Words = "no certificate yet, so it is off: the hub is being asked"
	case n.store.Now().After(a.page.Leaf.NotAfter):
		l.Words = "its certificate has ended, so browsers warn: the hub must be reached"
	default:
		host := authority.Hosts(a.page.Leaf)[0] // the hub certifies none without
		l.Words, l.Level = "on https://"+net.JoinHostPort(host, strconv.Itoa(at.Port)), till.Good
	}
	return l
}
