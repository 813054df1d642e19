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

// Join makes this device a terminal of a site. It redeems the code that the hub's office printed, creates the store in
// dir and leaves in it all that New needs. wish is the name that the terminal would like to have; the hub decides.
//
// If it fails before the hub has answered, the same code can be tried again; a power cut after that wastes the code, and the hub lists
// a terminal that nobody is: remove it there.
func Join(ctx context.Context, code, wish, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	c, err := register.ParseJoinCode(code)
	if err != nil {
		return nil, err
	}
	random := o.Rand
	if random == nil {
		random = rand.Reader
	}
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("drawing the terminal's key: %w", err)
	}
	secret, public, err := register.NewSealKey()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	answer, err := redeem(ctx, c, wish, seed, public)
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", c.Site, err)
	}
	pepper, err := openPepper(answer.Pepper, c.Site, answer.Terminal, secret, answer.Key)
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", c.Site, err)
	}
	defer clear(pepper)
	hub, err := json.Marshal(hubRecord{c.Hubs, c.Pin[:], answer.Key})
	if err != nil {
		return nil, fmt.Errorf("joining the site %s: %w", c.Site, err)
	}
	o.Seed = seed
	o.Secrets = map[string][]byte{secretSeal: secret, SecretPepper: pepper, secretHub: hub}
	return store.Create(dir, slot, store.Identity{Site: c.Site, Terminal: answer.Terminal}, o)
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
func redeem(ctx context.Context, c register.JoinCode, wish string, seed, public []byte) (*register.JoinAnswer, error) {
	key := ed25519.NewKeyFromSeed(seed)
	defer clear(key)
	in := register.JoinRequest{Site: c.Site, Token: c.Token, Name: wish, Sign: key.Public().(ed25519.PublicKey), Seal: public}
	in.ProveJoin(key)
	if err := in.Check(); err != nil {
		return nil, err
	}
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
	if answer.Site != c.Site || !register.ValidName(answer.Terminal) || len(answer.Key) != ed25519.PublicKeySize || answer.Pepper == nil {
		return nil, errors.New("the hub's answer is incomplete: bring hub and terminal to the same release")
	}
	return &answer, nil
}
