package web

import (
	"net"
	"net/http"
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

// RoleOf is the role of the browser that sent a request. Who sits at the terminal
// itself, on its loopback, is a technician; anybody else is staff.
func RoleOf(r *http.Request) Role {
	if r.TLS == nil && fromLoopback(r.RemoteAddr) {
		return Technician
	}
	return Staff
}

func fromLoopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	return err == nil && net.ParseIP(host).IsLoopback()
}
