package terminald

import (
	"net"
	"slices"
	"strconv"

	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/till"
)

// networkHosts are what a browser on the network may call this terminal: the configured names, and where the page listens or else
// every private address of IPv4. What the hub would not certify is left out, such as the name of a proxy before the page.
func (c Config) networkHosts(addresses func() ([]net.Addr, error)) (hosts []string) {
	hosts = slices.Clone(c.Page.Hosts)
	if host, _, err := net.SplitHostPort(c.Page.Network); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	} else {
		hosts = append(hosts, privateAddresses(addresses)...)
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

func privateAddresses(addresses func() ([]net.Addr, error)) (hosts []string) {
	all, err := addresses()
	if err != nil { // the next look asks again
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

// lamp says where the page is on the network, or why it is not.
func (n *network) lamp() till.Lamp {
	const part = "Network page"
	a, at := n.admission.Load(), n.address.Load()
	if why := n.trouble.Load(); why != nil {
		return till.Lamp{Part: part, Words: *why, Level: till.Warn}
	}
	if a == nil || at == nil {
		return till.Lamp{Part: part, Words: "no certificate yet, so it is off: the hub is being asked", Level: till.Warn}
	}
	if n.store.Now().After(a.page.Leaf.NotAfter) {
		return till.Lamp{Part: part, Words: "its certificate has ended, so browsers warn: the hub must be reached", Level: till.Warn}
	}
	host := authority.Hosts(a.page.Leaf)[0] // the hub certifies none without
	return till.Lamp{Part: part, Words: "on https://" + net.JoinHostPort(host, strconv.Itoa(at.Port)), Level: till.Good}
}
