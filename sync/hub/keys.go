package hub

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The files of a hub's directory. All but the database are written once, by
// Init, and belong in the school's sealed backup: without them no terminal
// believes this hub any more.
const (
	registerKeyFile = "register.key" // Ed25519: signs the register (PKCS #8, PEM)
	pepperKeyFile   = "pepper.key"   // 32 random bytes: from it each site's PIN pepper and its authority's seal are derived
	tlsKeyFile      = "tls.key"      // ECDSA P-256 (PKCS #8, PEM); browsers do not take Ed25519
	tlsCertFile     = "tls.crt"      // self-signed; terminals pin its key, not its dates
	databaseFile    = "hub.db"
)

// certificateLife is long because nobody at a school renews it: terminals pin the key.
const certificateLife = 10 * 365 * 24 * time.Hour

// ErrNoKeys says that a directory holds no hub yet, or has lost part of one.
var ErrNoKeys = errors.New("a key file is missing")

// keys are what makes a hub this hub and no other.
type keys struct {
	register ed25519.PrivateKey
	pepper   []byte
	tls      tls.Certificate
}

// Init makes the keys of a new hub in dir, readable by the owner only. hosts
// are the names and addresses by which browsers will reach it. Files that exist
// are left alone, so that an Init that was interrupted can be repeated; but a
// directory that has a database and lacks a key is refused, because new keys
// would cut off every terminal that has joined: restore the backup instead.
func Init(dir string, hosts []string, random io.Reader, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the hub's directory: %w", err)
	}
	makers := []struct {
		name string
		make func() ([]byte, error)
	}{
		{registerKeyFile, func() ([]byte, error) { return newRegisterKey(random) }},
		{pepperKeyFile, func() ([]byte, error) { return randomBytes(random, 32) }},
		{tlsKeyFile, func() ([]byte, error) { return newTLSKey(random) }},
		{tlsCertFile, func() ([]byte, error) { return newCertificate(dir, hosts, random, now) }},
	}
	_, err := os.Stat(filepath.Join(dir, databaseFile))
	used := err == nil
	for _, m := range makers {
		path := filepath.Join(dir, m.name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if used {
			return fmt.Errorf("%w: %s, beside a database that is in use; restore it from the backup", ErrNoKeys, path)
		}
		text, err := m.make()
		if err != nil {
			return fmt.Errorf("making %s: %w", path, err)
		}
		if err := writeDurably(path, text); err != nil {
			return fmt.Errorf("making %s: %w", path, err)
		}
		clear(text)
	}
	return nil
}

// loadKeys reads what Init made and checks that the parts belong together.
func loadKeys(dir string) (*keys, error) {
	k := &keys{}
	key, err := readPrivateKey(filepath.Join(dir, registerKeyFile))
	if err != nil {
		return nil, err
	}
	var ok bool
	if k.register, ok = key.(ed25519.PrivateKey); !ok {
		return nil, fmt.Errorf("reading %s: it holds another kind of key than Ed25519; restore it from the backup", registerKeyFile)
	}
	if k.pepper, err = readFile(filepath.Join(dir, pepperKeyFile)); err != nil {
		return nil, err
	}
	if len(k.pepper) != 32 {
		return nil, fmt.Errorf("reading %s: %d bytes instead of 32; restore it from the backup", pepperKeyFile, len(k.pepper))
	}
	if k.tls, err = readCertificate(dir); err != nil {
		return nil, err
	}
	return k, nil
}

// sitePepper derives the key that PIN indexes of one site are made with, so
// that a copy of the database alone gives no PIN away.
func (k *keys) sitePepper(site string) ([]byte, error) {
	return k.derive("tillprint pin pepper 1\x00" + site)
}

// derive gives a key for one purpose.
func (k *keys) derive(purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, k.pepper, nil, purpose, 32)
}
