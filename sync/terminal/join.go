package terminal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// Names of the secrets that Join leaves in the store's key table.
const (
	SecretPepper = "pepper" // the site's PIN pepper, for whoever computes blind indexes
	secretSeal   = "hpke"   // this terminal's secret sealing key
	secretHub    = "hub"    // hubRecord as JSON
)

// hubRecord is how this terminal knows its hub. It is no secret, but it must outlive the records.
type hubRecord struct {
	Hubs []string          `json:"hubs"`
	Pin  []byte            `json:"pin"` // SHA-256 of the TLS public key
	Key  ed25519.PublicKey `json:"key"` // signs checkpoints and the hub's envelopes
}

// Applicant is a device that is about to join: the keys that it has drawn, and the code with which it asks.
type Applicant struct {
	Code register.JoinCode `json:"code"`
	Wish string            `json:"wish,omitempty"` // the name that the terminal would like to have; the hub decides
	Seed []byte            `json:"seed"`           // of the signing key
	Seal []byte            `json:"seal"`           // secret HPKE key
}

// Apply draws the keys of a device that is about to join with a code. Clear them afterwards.
func Apply(code, wish string, random io.Reader) (*Applicant, error) {
	c, err := register.ParseJoinCode(code)
	if err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	a := &Applicant{Code: c, Wish: wish, Seed: make([]byte, ed25519.SeedSize)}
	if _, err := io.ReadFull(random, a.Seed); err != nil {
		return nil, fmt.Errorf("drawing the terminal's key: %w", err)
	}
	a.Seal, _, err = register.NewSealKey()
	return a, err
}

// Clear overwrites the keys.
func (a *Applicant) Clear() { clear(a.Seed); clear(a.Seal) }

// Request is what the hub is asked with.
func (a *Applicant) Request() (*register.JoinRequest, error) {
	if len(a.Seed) != ed25519.SeedSize {
		return nil, errors.New("the keys with which this terminal would join are damaged: begin with a new code")
	}
	public, err := register.SealPublic(a.Seal)
	if err != nil {
		return nil, err
	}
	key := ed25519.NewKeyFromSeed(a.Seed)
	defer clear(key)
	in := &register.JoinRequest{Site: a.Code.Site, Token: a.Code.Token, Name: a.Wish, Sign: key.Public().(ed25519.PublicKey), Seal: public}
	in.ProveJoin(key)
	return in, in.Check()
}

// Join makes this device a terminal of a site. It redeems the code that the hub's office printed, creates the store in
// dir and leaves in it all that New needs. wish is the name that the terminal would like to have; the hub decides.
//
// If it fails before the hub has answered, the same code can be tried again; a power cut after that wastes the code, and the hub lists
// a terminal that nobody is: remove it there.
func Join(ctx context.Context, code, wish, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	a, err := Apply(code, wish, o.Rand)
	if err != nil {
		return nil, err
	}
	defer a.Clear()
	return a.Join(ctx, dir, slot, o)
}

// Join asks the hub over the network.
func (a *Applicant) Join(ctx context.Context, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	in, err := a.Request()
	if err != nil {
		return nil, err
	}
	answer, err := redeem(ctx, a.Code, in)
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", a.Code.Site, err)
	}
	return a.begin(answer, dir, slot, o)
}

// begin creates the store of a terminal that was let in.
func (a *Applicant) begin(answer *register.JoinAnswer, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	pepper, err := openPepper(answer.Pepper, a.Code.Site, answer.Terminal, a.Seal, answer.Key)
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", a.Code.Site, err)
	}
	defer clear(pepper)
	hub, err := json.Marshal(hubRecord{a.Code.Hubs, a.Code.Pin[:], answer.Key})
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", a.Code.Site, err)
	}
	o.Seed = a.Seed
	o.Secrets = map[string][]byte{secretSeal: a.Seal, SecretPepper: pepper, secretHub: hub}
	return store.Create(dir, slot, store.Identity{Site: a.Code.Site, Terminal: answer.Terminal}, o)
}

// openPepper opens what a hub seals to a terminal that it lets in.
func openPepper(sealed *register.Envelope, site, terminal string, secret []byte, hub ed25519.PublicKey) ([]byte, error) {
	pepper, err := sealed.Open(register.Label{Purpose: register.PurposePepper, Site: site, From: register.Hub, To: terminal}, secret, hub)
	if err != nil {
		return nil, fmt.Errorf("opening the PIN pepper: %w", err)
	}
	return pepper, nil
}

// redeem asks the hub, at each of its addresses in turn, to admit this terminal.
func redeem(ctx context.Context, c register.JoinCode, in *register.JoinRequest) (*register.JoinAnswer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	w := newWire(c.Hubs, c.Pin[:])
	defer w.close()
	var answer register.JoinAnswer
	out, err := w.tryAll(ctx, func(ctx context.Context) ([]byte, error) {
		return w.send(ctx, http.MethodPost, "/v1/join", "", body, nil)
	})
	if err != nil {
		return nil, err
	}
	if err := register.Decode(out, &answer); err != nil {
		return nil, err
	}
	return &answer, answer.Check(c.Site)
}
