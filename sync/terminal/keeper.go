package terminal

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// keeperTime is how long the hub may take over half of a key. Cash is taken meanwhile.
const keeperTime = 10 * time.Second

// Keeper has the hub keep one half of this terminal's root key; see keyslot.Share.
type Keeper struct {
	place    Place
	key      ed25519.PrivateKey // signs questions; it lies in clear on the card
	identity ed25519.PrivateKey // signs the deposit; nil where the store is not open yet
	wire     *wire
}

// NewKeeper prepares the connection. seed is the 32 bytes behind the key by which the hub knows this card at start.
// identity is the terminal's own key, needed for a deposit only; nil where the store is not open yet. The caller clears it afterwards.
func NewKeeper(p Place, seed []byte, identity ed25519.PrivateKey) (*Keeper, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: the key by which the hub would know this card is damaged", keyslot.ErrNoKey)
	}
	return &Keeper{place: p, key: ed25519.NewKeyFromSeed(seed), identity: identity, wire: newWire(p.Hubs, p.Pin)}, nil
}

// Deposit gives the hub the first half.
func (k *Keeper) Deposit(epoch uint64, half []byte) error {
	if k.identity == nil {
		return errors.New("only a terminal whose store is open can do that: use 'tillprintd keyslot migrate --to hub'")
	}
	_, err := k.ask("/v1/share", register.ShareDeposit{Epoch: epoch, Half: half, Key: k.key.Public().(ed25519.PublicKey)}, k.identity)
	return err
}

// Fetch asks for the half of an epoch.
func (k *Keeper) Fetch(epoch uint64) ([]byte, error) {
	out, err := k.ask("/v1/share/open", register.ShareQuestion{Epoch: epoch}, k.key)
	if err != nil {
		return nil, err
	}
	var answer register.ShareAnswer
	if err := register.Decode(out, &answer); err != nil {
		return nil, err
	}
	return answer.Half, nil
}

// Forget lets the hub forget what came before an epoch.
func (k *Keeper) Forget(epoch uint64) error {
	_, err := k.ask("/v1/share/open", register.ShareQuestion{Epoch: epoch, Forget: true}, k.key)
	return err
}

func (k *Keeper) ask(path string, in any, key ed25519.PrivateKey) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keeperTime)
	defer cancel()
	out, err := k.wire.tryAll(ctx, func(ctx context.Context) ([]byte, error) {
		return k.wire.sendSigned(ctx, http.MethodPost, path, "", body, k.place.Site, k.place.Terminal, key)
	})
	return out, meaning(err)
}

// meaning tells answers that end the key for good from a hub that is away.
func meaning(err error) error {
	switch {
	case err == nil:
		return nil
	case refusedWith(err, register.CodeRollback):
		return fmt.Errorf("%w, %w: %w", keyslot.ErrNoKey, keyslot.ErrRolledBack, err)
	case refusedWith(err, register.CodeUnknown):
		return fmt.Errorf("%w: %w", keyslot.ErrNoKey, err)
	}
	return fmt.Errorf("%s (%w)", explain(err), err)
}
