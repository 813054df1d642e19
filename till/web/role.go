package web

import (
	"context"
	"net"
	"net/http"

	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/till"
)

// Role is what a browser may do on the pages.
type Role int

const (
	Staff      Role = iota // serves lunch
	Technician             // may also use the technician's pages
)

func (r Role) String() string {
	if r == Technician {
		return "technician"
	}
	return "staff"
}

// RoleOf is the role of the browser that sent a request: over the school's network what its certificate says, which the
// server has checked. Who sits at the terminal itself, on its loopback, is a technician; anybody else is staff.
func RoleOf(r *http.Request) Role {
	b, ok := browserOf(r)
	if ok && b.Technician || r.TLS == nil && fromLoopback(r.RemoteAddr) {
		return Technician
	}
	return Staff
}

// browserOf is who the certificate of a request is for.
func browserOf(r *http.Request) (authority.Browser, bool) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return authority.Browser{}, false
	}
	return authority.Of(r.TLS.PeerCertificates[0])
}

// onBehalf is the context of a request's actions: they stand in the audit log under the browser's name, where it has one.
func onBehalf(r *http.Request) context.Context {
	if b, ok := browserOf(r); ok {
		return till.As(r.Context(), b.Name)
	}
	return r.Context()
}

func fromLoopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	return err == nil && net.ParseIP(host).IsLoopback()
}
