package terminald

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is asked of each interface is what the standard library hears over netlink, which the daemon may not use.
func TestAddressesAreTheKernels(t *testing.T) {
	got, err := addressesOf("/sys/class/net")
	must(t, err)
	if !slices.Contains(got, netip.MustParseAddr("127.0.0.1")) {
		t.Errorf("%v: no loopback", got)
	}
	all, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range got {
		if !slices.ContainsFunc(all, func(b net.Addr) bool { n, ok := b.(*net.IPNet); return ok && n.IP.String() == a.String() }) {
			t.Errorf("%v is none of %v", a, all)
		}
	}
}

// An interface that is gone, or has no address, keeps none of the others back.
func TestAddressesWithoutAnInterface(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lo", "gone0"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	if got, err := addressesOf(dir); err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr("127.0.0.1")}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := addressesOf(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("no list of interfaces, and no error")
	}
}
