package terminal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// ErrReadmitted ends Run when the office has let this terminal in again: make a new Client over the same store.
var ErrReadmitted = errors.New("the office has let this terminal in again")

const (
	secretLoss    = "loss"           // lossRecord as JSON, until the office has let this terminal in again
	settingLogged = "sync.loss-told" // the loss stands in the log and in the queue
	waitTries     = 2                // while the office has not decided, the hub is asked as after so many failures
)

// lossRecord is why a terminal is not known to its hub.
type lossRecord struct {
	Was string `json:"was"` // its name before
	Why string `json:"why"` // what was found, for the data protection officer
}

// Anew makes an empty store with new keys for a terminal that has lost the key of its old one. It has a new name, since
// receipts go by names. Until the office lets it in, it takes cash and holds nobody. why is one sentence for the data
// protection officer (H16).
func Anew(p Place, why, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	random := o.Rand
	if random == nil {
		random = rand.Reader
	}
	name, err := nextName(p.Terminal, random)
	if err != nil {
		return nil, err
	}
	secret, _, err := register.NewSealKey()
	if err != nil {
		return nil, err
	}
	defer locked.Free(secret)
	hub, err := json.Marshal(p.hubRecord)
	if err != nil {
		return nil, fmt.Errorf("beginning anew: %w", err)
	}
	loss, err := json.Marshal(lossRecord{p.Terminal, why[:min(len(why), 500)]})
	if err != nil {
		return nil, fmt.Errorf("beginning anew: %w", err)
	}
	o.Secrets = map[string][]byte{secretSeal: secret, secretHub: hub, secretLoss: loss}
	return store.Create(dir, slot, store.Identity{Site: p.Site, Terminal: name}, o)
}

var suffix = regexp.MustCompile(`-[2-9][bcdfghjkmnpqrstvwxz]{3}$`)

// nextName gives till-1 the name till-1-4kdt: not one that the site has had before, but for a chance of one in 58,000.
func nextName(was string, random io.Reader) (string, error) {
	const digits, letters = "23456789", "bcdfghjkmnpqrstvwxz"
	b := make([]byte, 4)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("drawing a name: %w", err)
	}
	end := []byte{'-', digits[int(b[0])%len(digits)]}
	for _, c := range b[1:] {
		end = append(end, letters[int(c)%len(letters)])
	}
	base := suffix.ReplaceAllString(was, "")
	return base[:min(len(base), 32-len(end))] + string(end), nil
}

// recallLoss reads whether this terminal waits to be let in again.
func (c *Client) recallLoss() error {
	b, err := c.o.Store.Secret(secretLoss)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer locked.Free(b)
	c.loss = new(lossRecord)
	return json.Unmarshal(b, c.loss)
}

// seek asks the hub to be let in again until somebody at the office has keyed in the code.
func (c *Client) seek(ctx context.Context) error {
	in, err := c.rejoinRequest()
	if err != nil {
		return err
	}
	if err := c.tellLoss(); err != nil {
		c.o.Log.Error("the loss of the key could not be written into the new log", "err", err)
	}
	lost := fmt.Sprintf("The key of this terminal's store is lost: cash only, until the office lets it in again. Code for the office's page \"Terminals\": %s. Tell the data protection officer.", in.Code())
	c.update(func(s *State) { s.Problem = lost })
	for tries := 0; ctx.Err() == nil; {
		err := c.askAgain(ctx, in)
		switch {
		case errors.Is(err, ErrReadmitted):
			return err
		case errors.Is(err, errWaiting):
			c.update(func(s *State) { s.Reachable, s.Contact, s.Problem = true, c.o.Now(), lost })
			tries = waitTries
		case ctx.Err() == nil:
			c.trouble(err, lost)
			tries++
		}
		c.pause(ctx, c.wake, tries, err)
	}
	return nil
}

// tellLoss writes the loss into the new log and queues it for the hub (H16). A cut in the middle tells it twice.
func (c *Client) tellLoss() error {
	if _, err := c.o.Store.Setting(settingLogged); err == nil {
		return nil
	}
	if err := c.o.Store.Append(audit.Event{Kind: audit.KeyEvent, Row: "H16", Action: "lost"}); err != nil {
		return err
	}
	text := fmt.Sprintf("The key of the store of terminal %s was lost, and with it every template there; the store was set aside and begun anew. What was found: %s", c.loss.Was, c.loss.Why)
	if _, err := c.o.Store.Enqueue(store.Item{Kind: ItemAlert, Text: text}); err != nil {
		return err
	}
	return c.o.Store.SetSetting(settingLogged, []byte("yes"))
}

func (c *Client) rejoinRequest() (*register.RejoinRequest, error) {
	key, err := c.o.Store.SigningKey()
	if err != nil {
		return nil, err
	}
	defer clear(key)
	secret, err := c.o.Store.Secret(secretSeal)
	if err != nil {
		return nil, err
	}
	defer locked.Free(secret)
	public, err := register.SealPublic(secret)
	if err != nil {
		return nil, err
	}
	in := &register.RejoinRequest{Site: c.id.Site, Was: c.loss.Was, Name: c.id.Terminal, Sign: key.Public().(ed25519.PublicKey), Seal: public}
	in.Prove(key)
	return in, nil
}

// errWaiting says that nobody at the office has decided yet.
var errWaiting = errors.New("the office has not let this terminal in again yet")

// askAgain asks once. With ErrReadmitted everything that the answer brought is durable.
func (c *Client) askAgain(ctx context.Context, in *register.RejoinRequest) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	out, err := c.wire.tryAll(ctx, func(ctx context.Context) ([]byte, error) {
		return c.wire.send(ctx, http.MethodPost, "/v1/rejoin", "", body, nil)
	})
	if err != nil {
		return err
	}
	var answer register.JoinAnswer
	if err := register.Decode(out, &answer); err != nil {
		return err
	}
	if answer.Terminal == "" {
		return errWaiting
	}
	if answer.Terminal != in.Name || answer.Site != in.Site || !bytes.Equal(answer.Key, c.hub.Key) || answer.Pepper == nil {
		return fmt.Errorf("%w: the answer to a terminal that asks to be let in again", register.ErrUnsigned)
	}
	secret, err := c.o.Store.Secret(secretSeal)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	defer locked.Free(secret)
	pepper, err := openPepper(answer.Pepper, in.Site, in.Name, secret, c.hub.Key)
	if err != nil {
		return err
	}
	defer clear(pepper)
	if err := c.o.Store.SetSecrets(map[string][]byte{SecretPepper: pepper, secretLoss: nil}); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return ErrReadmitted
}
