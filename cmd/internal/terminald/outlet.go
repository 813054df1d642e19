package terminald

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/outlet"
)

// secretOutlet is the store's secret from which account tokens are made: they
// stay the same over restarts and mean nothing at another till.
const secretOutlet = "outlet"

// outlet makes the configured outlet for a point of sale, adds it to parts and
// returns what runs it; nil if none is configured.
func (c Config) outlet(st *store.Store, parts *till.Parts) (runner, error) {
	if c.Outlet.Listen == "" {
		return nil, nil
	}
	token, err := readToken(c.Outlet.TokenFile)
	if err != nil {
		return nil, err
	}
	key, err := accountKey(st)
	if err != nil {
		return nil, err
	}
	defer locked.Free(key)
	server, err := outlet.New(token, key)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Outlet.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for a point of sale: %w; set outlet.listen to a free address of this machine", err)
	}
	parts.Outlets = append(parts.Outlets, server)
	return func(ctx context.Context) error { return cli.Serve(ctx, l, server.Handler()) }, nil
}

// readToken reads the token of the point of sale, which nobody else may read.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading outlet.token_file: %w; put the token of the point of sale there", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("outlet.token_file %s can be read by others: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading outlet.token_file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func accountKey(st *store.Store) ([]byte, error) {
	key, err := st.Secret(secretOutlet)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("drawing the outlet's account key: %w", err)
	}
	return key, st.SetSecrets(map[string][]byte{secretOutlet: key})
}
