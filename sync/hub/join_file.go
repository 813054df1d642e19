package hub

import (
	"context"
	"crypto"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// JoinFile redeems a request that was carried here in a file and makes the answer to carry back. The same request can be
// answered again for as long as its code lives: after the terminal has been commissioned, the next answer brings that along,
// and the people with it. A terminal in mode off gets no people.
func (h *Hub) JoinFile(ctx context.Context, officer string, request []byte) ([]byte, string, error) {
	in, err := register.ParseJoinRequest(request)
	if err != nil {
		return nil, "", err
	}
	var name string
	err = h.write(ctx, in.Site, func(tx *sql.Tx) (err error) {
		if name, err = h.join(ctx, tx, in); err != nil {
			return err
		}
		return h.note(ctx, tx, in.Site, officer, "made a join file", name)
	})
	if errors.Is(err, ErrNotFound) {
		return nil, "", fmt.Errorf("%w: the request's join code is not of this hub, was used by another terminal, or is out of date: begin with a new one", ErrInvalid)
	}
	if err != nil {
		return nil, "", fmt.Errorf("admitting a terminal: %w", err)
	}
	f, err := h.joinFile(ctx, in, name)
	if err != nil {
		return nil, "", fmt.Errorf("making the join file of %s: %w", name, err)
	}
	b, err := json.Marshal(f)
	return b, name, err
}

func (h *Hub) joinFile(ctx context.Context, in *register.JoinRequest, name string) (*register.JoinFile, error) {
	answer, err := h.joinAnswer(in.Site, name, in.Seal)
	if err != nil {
		return nil, err
	}
	f := &register.JoinFile{Request: in.Asked(), Answer: *answer}
	if f.Register, err = h.wholeRegister(ctx, in.Site); err != nil {
		return nil, err
	}
	c, err := loadCommission(ctx, h.db, in.Site, name)
	if err != nil {
		return nil, err
	}
	if c.Mode != register.ModeOff {
		if f.People, err = h.sealEverybody(ctx, caller{site: in.Site, terminal: name, seal: in.Seal}); err != nil {
			return nil, err
		}
	}
	signer, ok := h.keys.tls.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the hub's TLS key cannot sign")
	}
	return f, f.Sign(signer, h.config.Rand)
}

// wholeRegister is the register as a terminal that starts from nothing would fetch it.
func (h *Hub) wholeRegister(ctx context.Context, site string) ([]string, error) {
	var head uint64
	if err := h.db.QueryRowContext(ctx, `SELECT size FROM sites WHERE site = $1`, site).Scan(&head); err != nil {
		return nil, fmt.Errorf("reading the register's size: %w", plain(err))
	}
	var all []string
	for after := uint64(0); after < head; {
		b, err := h.batch(ctx, site, after, head, true)
		if err != nil {
			return nil, err
		}
		all = append(all, string(b.Marshal()))
		after += uint64(len(b.Leaves))
	}
	return all, nil
}

// sealEverybody seals the record of each person of a site to a terminal, as many as a join file can hold.
func (h *Hub) sealEverybody(ctx context.Context, c caller) ([]*register.Envelope, error) {
	var ids []consent.SubjectID
	if err := each(ctx, h.db, func(r *sql.Rows) error {
		ids = append(ids, "")
		return r.Scan(&ids[len(ids)-1])
	}, `SELECT subject FROM subjects WHERE site = $1 ORDER BY subject`, c.site); err != nil {
		return nil, fmt.Errorf("listing people: %w", err)
	}
	var all []*register.Envelope
	size := 0
	for _, id := range ids {
		line, err := h.sealPerson(ctx, id, c)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if size += len(line); size > register.MaxJoinFile/2 {
			break
		}
		e, err := register.ParseEnvelope(line)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
