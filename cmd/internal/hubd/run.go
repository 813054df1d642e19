package hubd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

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
	g.Go(func() error { return serve(ctx, terminals, h.Handler(), log) })
	g.Go(func() error { return serve(ctx, office, h.Office(), log) })
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

// serve answers on l until ctx ends, then gives open requests a moment.
func serve(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if s.Shutdown(grace) != nil {
			s.Close() // long-polls that did not end in time
		}
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}
