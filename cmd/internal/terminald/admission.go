package terminald

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/sync/authority"
)

// settingAdmission is where the store keeps, sealed, what the page on the network needs.
const settingAdmission = "page-admission"

// admission is with what the page proves itself, and whom it lets in. It is never changed, only replaced.
type admission struct {
	kept      keptAdmission
	page      tls.Certificate
	authority *x509.Certificate
}

// keptAdmission is an admission as the store keeps it. The page's key opens nothing that is stored, so it need not lie in locked memory.
type keptAdmission struct {
	Key         []byte   `json:"key"`
	Certificate []byte   `json:"certificate"`
	Authority   []byte   `json:"authority"`
	Revoked     []string `json:"revoked,omitempty"`
}

func (k *keptAdmission) open() (*admission, error) {
	text := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	key := text("PRIVATE KEY", k.Key)
	defer clear(key)
	page, err := tls.X509KeyPair(text("CERTIFICATE", k.Certificate), key)
	if err != nil {
		return nil, fmt.Errorf("the page's certificate: %w", err)
	}
	root, err := x509.ParseCertificate(k.Authority)
	if err == nil {
		err = page.Leaf.CheckSignatureFrom(root)
	}
	if err != nil {
		return nil, fmt.Errorf("the site's authority: %w", err)
	}
	return &admission{kept: *k, page: page, authority: root}, nil
}

// recall takes up what the store keeps: with it the page is there before the hub answers, or without it.
func (n *network) recall() error {
	text, err := n.store.Setting(settingAdmission)
	if err != nil {
		return err
	}
	defer clear(text)
	var k keptAdmission
	if err := json.Unmarshal(text, &k); err != nil {
		return fmt.Errorf("the page's admission: %w", err)
	}
	a, err := k.open()
	if err == nil {
		n.admission.Store(a)
	}
	return err
}

// look asks the hub whom to let in, and has the page certified where it must be. While the hub is away what is known goes on.
func (n *network) look(ctx context.Context) {
	old := n.admission.Load()
	hosts, err := n.hosts()
	switch {
	case len(hosts) == 0 && old == nil:
		if err == nil {
			err = errors.New("this terminal has no private address yet; is the network plugged in?")
		}
	case old == nil || n.stale(old, hosts): // with the names that are configured, where the kernel does not tell its addresses
		err = errors.Join(err, n.certify(ctx, hosts))
	default:
		err = errors.Join(err, n.refresh(ctx, old, hosts))
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && n.admission.Load() == nil:
		n.note("no certificate yet, so it is off: " + err.Error())
	case err != nil:
		n.log.Warn("whom the page on the network lets in could not be asked; what is known goes on", "err", err)
	}
	if n.admission.Load() != nil {
		n.review()
	}
}

// stale reports whether the page needs another certificate: half of its time is over, or it has a new address.
func (n *network) stale(a *admission, hosts []string) bool {
	c := a.page.Leaf
	half := c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 2)
	known := authority.Hosts(c)
	return n.store.Clock().Certain().After(half) || slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(known, h) })
}

func (n *network) certify(ctx context.Context, hosts []string) error {
	key, request, err := authority.NewPage(hosts)
	if err != nil {
		return err
	}
	answer, err := n.hub.Page(ctx, request)
	if err != nil {
		return err
	}
	n.log.Info("the page on the network was certified", "hosts", hosts)
	return n.take(keptAdmission{Key: key, Certificate: answer.Certificate, Authority: answer.Authority, Revoked: answer.Revoked})
}

func (n *network) refresh(ctx context.Context, old *admission, hosts []string) error {
	answer, err := n.hub.Page(ctx, nil)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(answer.Authority, old.kept.Authority): // the hub's database was made anew
		return n.certify(ctx, hosts)
	case slices.Equal(answer.Revoked, old.kept.Revoked):
		return nil
	}
	next := old.kept
	next.Revoked = answer.Revoked
	return n.take(next)
}

// take goes over to another admission. It counts at once, even if the card does not take it.
func (n *network) take(k keptAdmission) error {
	a, err := k.open()
	if err != nil {
		return fmt.Errorf("what the hub answered cannot be used: %w", err)
	}
	n.admission.Store(a)
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	defer clear(text)
	return n.store.SetSetting(settingAdmission, text)
}
