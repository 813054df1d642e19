package hub

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// newRegisterKey makes the key that signs the register. Every terminal that joins
// learns its public half and trusts no other: whoever loses the file has every
// terminal join again, whoever leaks it hands over what the site's terminals hold.
func newRegisterKey(random io.Reader) ([]byte, error) {
	seed, err := randomBytes(random, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	return encodePrivateKey(ed25519.NewKeyFromSeed(seed))
}

// newTLSKey makes the key that terminals pin. P-256, because browsers of the office
// meet it, too, and not all of them speak Ed25519.
func newTLSKey(random io.Reader) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, err
	}
	return encodePrivateKey(key)
}

// newCertificate signs the TLS key with itself. Terminals trust the key whatever the
// certificate says, so that it can be renewed, or replaced by one of the school's
// own authority for the same key, without any of them joining again.
func newCertificate(dir string, hosts []string, random io.Reader, now time.Time) ([]byte, error) {
	key, err := readPrivateKey(filepath.Join(dir, tlsKeyFile))
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s cannot sign", tlsKeyFile)
	}
	serial, err := randomBytes(random, 16)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{CommonName: "Tillprint hub"},
		NotBefore:             now.Add(-time.Hour), // a browser's clock may be slow
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(random, c, c, signer.Public(), signer)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func readCertificate(dir string) (tls.Certificate, error) {
	for _, name := range []string{tlsKeyFile, tlsCertFile} {
		if _, err := readFile(filepath.Join(dir, name)); err != nil {
			return tls.Certificate{}, err
		}
	}
	c, err := tls.LoadX509KeyPair(filepath.Join(dir, tlsCertFile), filepath.Join(dir, tlsKeyFile))
	if err != nil {
		return c, fmt.Errorf("the hub's certificate in %s cannot be used; restore %s and %s from the backup: %w", dir, tlsCertFile, tlsKeyFile, err)
	}
	return c, nil
}

func encodePrivateKey(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func readPrivateKey(path string) (any, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("reading %s: it holds no PEM block; restore it from the backup", path)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w; restore it from the backup", path, err)
	}
	return key, nil
}

func readFile(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s; make a new hub with \"tillprint-hub init\", or restore the file from the backup", ErrNoKeys, path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a key file: %w", err)
	}
	return text, nil
}

func randomBytes(random io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	return b, nil
}

// writeDurably makes path appear whole or not at all: a temporary file is
// written and synced, renamed, and the directory synced. A crash before the
// rename leaves a file ending in .new, which the next call overwrites.
func writeDurably(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
