package terminald

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// addressesOf asks the kernel for the IPv4 address of each network interface, as netdevice(7) describes it. The standard library
// would ask over a netlink socket, which the daemon's unit forbids.
func addressesOf(interfaces string) (all []netip.Addr, err error) {
	entries, err := os.ReadDir(interfaces)
	if err != nil {
		return nil, fmt.Errorf("listing the network interfaces: %w", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("asking for this terminal's addresses: %w", err)
	}
	defer unix.Close(socket)
	for _, e := range entries {
		a, err := addressOf(socket, e.Name())
		switch {
		case err == nil:
			all = append(all, a)
		case !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV): // it has none, or was pulled out just now
			return nil, fmt.Errorf("asking for the address of %s: %w", e.Name(), err)
		}
	}
	return all, nil
}

func addressOf(socket int, name string) (netip.Addr, error) {
	r, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(socket, unix.SIOCGIFADDR, r)
	}
	if err != nil {
		return netip.Addr{}, err
	}
	b, err := r.Inet4Addr()
	if err != nil {
		return netip.Addr{}, err
	}
	a, _ := netip.AddrFromSlice(b)
	return a, nil
}
