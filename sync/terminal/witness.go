package terminal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/register"
)

// secretRefetched is the number of the last refetch command that was carried out. It stands in the key table, so that it
// outlives the records which that command throws away, and goes back with a card that is put back.
const secretRefetched = "refetched"

// errRefetch says that the store has been emptied and everything is to be fetched again.
var errRefetch = errors.New("everything is fetched again")

// witnessed is what was shown to the hub of the log, owned by the goroutine that delivers.
type witnessed struct {
	known int64     // records that the hub has countersigned, as far as this run has heard
	shown string    // the head that was shown last
	at    time.Time // when
}

// showLog has the hub countersign the head of the audit log: at once after a start, so that a card that was put back is
// noticed before it matters, then as often as the status is told.
func (c *Client) showLog(ctx context.Context) error {
	if !c.log.at.IsZero() && c.o.Now().Sub(c.log.at) < statusEvery {
		return nil
	}
	out, err := c.show(ctx)
	if err == nil && out.Head == "" && !out.Rewound { // the hub has countersigned more, or less, than this run knew
		c.log.known = out.Known
		out, err = c.show(ctx)
	}
	if err != nil {
		return err
	}
	if out.Rewound {
		c.o.Log.Warn("this terminal shows less than the hub has seen of it; it will be emptied and filled again")
		return nil
	}
	c.log.at = c.o.Now()
	return c.keepHead(out.Head)
}

func (c *Client) show(ctx context.Context) (out register.Witnessed, err error) {
	head, proof, err := c.o.Store.Head(c.log.known)
	if err != nil {
		return out, fmt.Errorf("%w: %w", errStore, err)
	}
	done, err := c.refetched()
	if err != nil {
		return out, err
	}
	c.log.shown = head
	b, err := c.ask(ctx, http.MethodPost, "/v1/witness", "", register.Witness{Earlier: c.log.known, Proof: proof, Head: head, Refetched: done}, 0)
	if err == nil {
		err = register.Decode(b, &out)
	}
	return out, err
}

// keepHead checks that the hub has signed the very head that was shown.
func (c *Client) keepHead(countersigned string) error {
	hub, err := audit.NewCosignVerifier(audit.CosignKey(c.hub.Key))
	if err != nil {
		return fmt.Errorf("%w: the hub's key", errStore)
	}
	n, err := note.Open([]byte(countersigned), note.VerifierList(hub))
	if err != nil || !strings.HasPrefix(c.log.shown, n.Text+"\n") {
		return fmt.Errorf("%w: the countersigned head of the log", register.ErrUnsigned)
	}
	head, err := audit.OpenHead(c.log.shown, c.o.Store.VerifierKey())
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.log.known = head.Size
	c.update(func(s *State) { s.Countersigned = head.Size })
	return nil
}

func (c *Client) refetched() (uint64, error) {
	b, err := c.o.Store.Secret(secretRefetched)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	defer locked.Free(b)
	if err != nil || len(b) != 8 {
		return 0, fmt.Errorf("%w: which refetch came last is not known: %w", errStore, err)
	}
	return binary.BigEndian.Uint64(b), nil
}

// refetch empties this terminal as a command orders, unless that has been done. A crash between its two steps empties
// it twice.
func (c *Client) refetch(command register.Issued) error {
	done, err := c.refetched()
	if err != nil || command.Seq <= done {
		return err
	}
	c.queue.Lock()
	defer c.queue.Unlock()
	if err := c.o.Custody.Refetch("the hub has found that an old copy of it was put back"); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if err := c.o.Store.SetSecrets(map[string][]byte{secretRefetched: binary.BigEndian.AppendUint64(nil, command.Seq)}); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if err := c.logCommand(command, ""); err != nil { // into the new log
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.last, c.signed = nil, nil
	c.update(func(s *State) { s.Applied, s.Told = 0, time.Time{} })
	c.o.Log.Warn("the hub has found that an old copy of this terminal's card was put back; everything was wiped and is fetched again")
	return errRefetch
}
