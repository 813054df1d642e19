package web

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"testing"
)

func TestRoleWithoutCertificate(t *testing.T) {
	for _, c := range []struct {
		remote string
		tls    bool
		want   Role
	}{
		{"127.0.0.1:40000", false, Technician},
		{"[::1]:40000", false, Technician},
		{"10.20.30.40:40000", false, Staff},
		{"", false, Staff},
		{"localhost:80", false, Staff},
		{"127.0.0.1:40000", true, Staff}, // what came over TLS has the role of its certificate
	} {
		r := &http.Request{RemoteAddr: c.remote}
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := RoleOf(r); got != c.want {
			t.Errorf("%q, TLS %v: %v, want %v", c.remote, c.tls, got, c.want)
		}
	}
}

func TestRoleOfACertificate(t *testing.T) {
	for _, c := range []struct {
		units []string
		want  Role
	}{
		{[]string{"technician"}, Technician},
		{[]string{"staff"}, Staff},
		{nil, Staff},
		{[]string{"staff", "technician"}, Staff},
		{[]string{"Technician"}, Staff},
	} {
		of := &x509.Certificate{Subject: pkix.Name{CommonName: "kitchen-pc", OrganizationalUnit: c.units}}
		r := &http.Request{RemoteAddr: "127.0.0.1:1", TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{of}}}
		if got := RoleOf(r); got != c.want {
			t.Errorf("%q: %v, want %v", c.units, got, c.want)
		}
	}
}
