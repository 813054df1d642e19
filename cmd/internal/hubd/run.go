package hubd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/watchdog"
	"github.com/tillprint/tillprint/sync/hub"
)

// Run serves the hub until ctx ends. ready, if not nil, is called once both
// listeners accept connections.
func Run(ctx context.Context, c Config, log *slog.Logger, ready func()) error {
	h, err := hub.Open(ctx, c.Hub(log))
	if err != nil {
		return err
	}
	defer h.Close()
	terminals, err := net.Listen("tcp", c.Terminals.Listen)
	if err != nil {
		return fmt.Errorf("listening for terminals: %w; is another hub running, or the address not this machine's?", err)
	}
	terminals = tls.NewListener(terminals, h.TLS())
	office, err := c.officeListener(h)
	if err != nil {
		terminals.Close()
		return err
	}
	log.Info("hub is serving", "terminals", terminals.Addr().String(), "office", office.Addr().String())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.Run(ctx) })
	g.Go(func() error { return cli.Serve(ctx, terminals, h.Handler()) })
	g.Go(func() error { return cli.Serve(ctx, office, h.Office()) })
	g.Go(func() error { return watchdog.Run(ctx, log, alive(h, terminals, office)...) })
	if ready != nil {
		ready()
	}
	return g.Wait()
}

// officeListener is plain on loopback and TLS anywhere else: a password must
// never cross the school's network in clear.
func (c Config) officeListener(h *hub.Hub) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Office.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for the office: %w; set office.listen to a free address of this machine", err)
	}
	if c.Office.Certificate != "" {
		cert, err := tls.LoadX509KeyPair(c.Office.Certificate, c.Office.Key)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("reading the office's certificate: %w; check office.certificate and office.key", err)
		}
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
	}
	if addr, ok := l.Addr().(*net.TCPAddr); ok && addr.IP.IsLoopback() {
		return l, nil
	}
	return tls.NewListener(l, h.TLS()), nil
}

// alive are the hub's parts as systemd's watchdog asks after them. A database
// server that is away is no illness of the hub's, and a restart no remedy: an
// error of the database is an answer.
func alive(h *hub.Hub, listeners ...net.Listener) []watchdog.Part {
	parts := []watchdog.Part{{Name: "database", Answer: func(ctx context.Context) error { _, _ = h.Sites(ctx); return nil }}}
	for _, l := range listeners {
		parts = append(parts, watchdog.Part{Name: l.Addr().String(), Answer: func(ctx context.Context) error { return accepts(ctx, l) }})
	}
	return parts
}

// accepts connects to one of our own listeners. Whose certificate answers does
// not matter here, only that somebody does; a connection without a handshake
// would stand in the log as a fault.
func accepts(ctx context.Context, l net.Listener) error {
	c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", l.Addr().String())
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) { // the office's listener on loopback speaks HTTP
		return nil
	}
	if err != nil {
		return err
	}
	return c.Close()
}
