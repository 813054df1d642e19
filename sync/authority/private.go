package authority

import (
	"net"
	"regexp"
	"slices"
	"strings"
)

// privateSuffixes are domains that mean something within one network only. A school's own public domain is not among them: who
// reads the authority's key could then pass for the school's other machines.
var privateSuffixes = []string{"local", "lan", "internal", "home.arpa"}

// privateRanges are the addresses that no machine of the internet has.
var privateRanges = ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128")

func ranges(all ...string) (r []*net.IPNet) {
	for _, s := range all {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			panic("authority: " + err.Error()) // cannot happen: they stand above
		}
		r = append(r, n)
	}
	return r
}

var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Private reports whether a page may be certified for a host: an address of a private range, or a name under .local, .lan,
// .internal or .home.arpa in small letters.
func Private(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return slices.ContainsFunc(privateRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return len(host) <= 253 && hostName.MatchString(host) && slices.ContainsFunc(privateSuffixes, func(s string) bool { return strings.HasSuffix(host, "."+s) })
}
