package terminald

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/sync/terminal"
)

// lookAtAdmission is how often the hub is asked whom the page lets in: a browser that is revoked is shut out as soon.
const lookAtAdmission = time.Minute

// network is the operator's page on the school's network. It is there only with a certificate of the site's authority, and lets in
// only browsers with another one. Nothing in it can stop the page on loopback.
type network struct {
	listen string
	hosts  func() ([]string, error) // that it should be known by
	site   string
	store  *store.Store
	hub    *terminal.Client
	log    *slog.Logger
	served func(net.Addr) // may be nil; see Hooks

	admission atomic.Pointer[admission] // nil before the first certificate
	trouble   atomic.Pointer[string]    // in the operator's words; nil while all is well
	address   atomic.Pointer[net.TCPAddr]
	visits    visits
}

// run serves and keeps the certificate until ctx ends.
func (n *network) run(ctx context.Context, pages http.Handler) error {
	if err := n.recall(); err != nil && !errors.Is(err, store.ErrNotFound) {
		n.log.Warn("the certificate of the page on the network cannot be used; another one is asked for", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(lookAtAdmission)
	defer tick.Stop()
	serving := make(chan struct{}, 1) // holds a token while the page is served
	for ctx.Err() == nil {
		changed := n.hub.Changed()
		n.look(ctx)
		if n.admission.Load() != nil {
			select {
			case serving <- struct{}{}:
				g.Go(func() error { defer func() { <-serving }(); n.serve(ctx, pages); return nil })
			default:
			}
		}
		if n.admission.Load() != nil {
			changed = nil
		}
		select {
		case <-ctx.Done():
		case <-changed: // a hub that was away may have come
		case <-tick.C:
		}
	}
	return g.Wait()
}

// serve answers on the network until ctx ends or that fails.
func (n *network) serve(ctx context.Context, pages http.Handler) {
	l, err := net.Listen("tcp", n.listen)
	if err == nil {
		n.address.Store(l.Addr().(*net.TCPAddr))
		n.note("")
		n.log.Info("the page is on the network", "address", l.Addr())
		if n.served != nil {
			n.served(l.Addr())
		}
		err = cli.Serve(ctx, tls.NewListener(l, n.tls()), n.admit(pages))
	}
	if err != nil {
		n.note("off, and tried again in a minute: " + err.Error())
	}
}

// tls asks for a browser's certificate and lets nobody in without. It keeps no sessions: each connection is looked at anew.
func (n *network) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		a := n.admission.Load()
		known := x509.NewCertPool()
		known.AddCert(a.authority)
		return &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true,
			Certificates: []tls.Certificate{a.page}, ClientAuth: tls.RequireAnyClientCert, ClientCAs: known,
			VerifyConnection: func(s tls.ConnectionState) error {
				_, err := n.check(s.PeerCertificates)
				if err != nil {
					n.log.Warn("a browser was not let in", "err", err)
				}
				return err
			}}, nil
	}}
}

// check says who a browser is, by the admission of this moment. Dates are held against the time that has passed for certain: a clock
// that runs wrong must lock no till out.
func (n *network) check(chain []*x509.Certificate) (authority.Browser, error) {
	if len(chain) == 0 {
		return authority.Browser{}, fmt.Errorf("%w: it has none", authority.ErrForeign)
	}
	a := n.admission.Load()
	return authority.Check(chain[0], a.authority, n.site, a.kept.Revoked, n.store.Clock().Certain())
}

// answers reports whether the page is known by a host of that name.
func (n *network) answers(host string) bool {
	a := n.admission.Load()
	return a != nil && slices.Contains(authority.Hosts(a.page.Leaf), host)
}

// note keeps why the page is not on the network, "" if it is, and logs it once.
func (n *network) note(words string) {
	if words == "" {
		n.trouble.Store(nil)
		return
	}
	if old := n.trouble.Swap(&words); old == nil || *old != words {
		n.log.Warn("the page is not on the network", "why", words)
	}
}
