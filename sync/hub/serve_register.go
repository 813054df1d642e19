package hub

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/sync/register"
)

// batchBytes is where a batch is cut, so that with its last entry, frontier and
// checkpoint it stays below register.MaxBatch.
const batchBytes = register.MaxBatch - 2*register.MaxEntry

// serveRegister answers what comes after an entry, waiting for it if need be.
func (h *Hub) serveRegister(w http.ResponseWriter, r *http.Request, _ []byte, c caller) error {
	q := r.URL.Query()
	after, err := strconv.ParseUint(q.Get("after"), 10, 40)
	if err != nil {
		return fail(http.StatusBadRequest, register.CodeMalformed, "after must be a number of an entry")
	}
	seconds, err := strconv.ParseUint(q.Get("wait"), 10, 16)
	if err != nil && q.Get("wait") != "" {
		return fail(http.StatusBadRequest, register.CodeMalformed, "wait must be a number of seconds")
	}
	left, err := strconv.ParseUint(q.Get("mail"), 10, 16)
	if err != nil && q.Get("mail") != "" {
		return fail(http.StatusBadRequest, register.CodeMalformed, "mail must be a number of envelopes")
	}
	elide := q.Get("elide") == "1"
	if !elide && after != c.reported { // a terminal asks for what follows the entries that it has applied
		if err := h.applied(r.Context(), c, after); err != nil {
			return err
		}
	}
	wait := min(time.Duration(min(seconds, register.MaxWait))*time.Second, h.config.Wait)
	head, err := h.waitForNews(r.Context(), c, after, left, wait)
	if err != nil {
		return err
	}
	b, err := h.batch(r.Context(), c.site, after, head, elide)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(b.Marshal())
	return nil
}

// waitForNews returns the number of entries as soon as it exceeds after or more
// than left envelopes lie in the caller's mailbox, or after the wait.
func (h *Hub) waitForNews(ctx context.Context, c caller, after, left uint64, wait time.Duration) (uint64, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		news := h.wakes.wait(c.site) // before looking, so that nothing falls between
		var head, lying uint64
		var removed bool
		err := h.db.QueryRowContext(ctx, `SELECT s.size, t.removed, (SELECT COUNT(*) FROM (SELECT 1 FROM mailbox WHERE site = $1 AND recipient = $2 LIMIT $3) AS few)
			FROM sites s JOIN terminals t ON t.site = s.site WHERE t.site = $1 AND t.terminal = $2`,
			c.site, c.terminal, int64(left)+1).Scan(&head, &removed, &lying)
		if err != nil {
			return 0, fmt.Errorf("looking for news: %w", plain(err))
		}
		switch {
		case removed:
			return 0, fail(http.StatusForbidden, register.CodeRemoved, "this terminal has been removed from its site")
		case after > head:
			return 0, fail(http.StatusConflict, register.CodeRollback, fmt.Sprintf("the register has %d entries, not %d; if the hub was restored from a backup, restore a newer one", head, after))
		case after < head || lying > left || wait <= 0:
			return head, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-timer.C:
			wait = 0
		case <-h.wakes.closing():
			return 0, fail(http.StatusServiceUnavailable, register.CodeBusy, "the hub is stopping")
		case <-news:
		}
	}
}

// batch makes the answer: entries after+1 to head, or as many as fit. It takes no
// lock: entries are never changed, and the checkpoint is made for exactly those in
// the batch, so that what is appended meanwhile comes with the next one.
func (h *Hub) batch(ctx context.Context, site string, after, head uint64, elide bool) (*register.Batch, error) {
	stored := storedHashes(ctx, h.db, site)
	known, err := register.TreeAt(after, stored)
	if err != nil {
		return nil, err
	}
	b := &register.Batch{After: after, Frontier: known.Frontier}
	size := 0
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var body []byte
		var old bool
		if err := r.Scan(&body, &old); err != nil || size > batchBytes {
			return err
		}
		if old && elide {
			b.Leaves = append(b.Leaves, register.Leaf{Elided: tlog.RecordHash(body)})
			size += 2 * tlog.HashSize
			return nil
		}
		b.Leaves = append(b.Leaves, register.Leaf{Entry: body})
		size += len(body)
		return nil
	}, `SELECT e.body, COALESCE(s.entry > e.seq, FALSE) FROM entries e LEFT JOIN subjects s ON s.site = e.site AND s.subject = e.subject
		WHERE e.site = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4`, site, int64(after), int64(head), register.MaxEntries)
	if err != nil {
		return nil, fmt.Errorf("reading the register of %s: %w", site, err)
	}
	b.Checkpoint, err = h.checkpoint(site, after+uint64(len(b.Leaves)), head, stored)
	return b, err
}

// checkpoint signs the tree with size entries, the time and the lease.
func (h *Hub) checkpoint(site string, size, head uint64, stored tlog.HashReader) ([]byte, error) {
	tree, err := register.TreeAt(size, stored)
	if err != nil {
		return nil, err
	}
	root, err := tree.Root()
	if err != nil {
		return nil, err
	}
	signer, err := register.NewSigner(site, h.keys.register)
	if err != nil {
		return nil, err
	}
	now := h.signedTime()
	c := register.Checkpoint{Site: site, Size: size, Root: root, Time: now, Lease: now.Add(h.config.Lease), Head: head}
	return c.Sign(signer)
}

// applied notes what a terminal has applied. It may be less than before: then a
// card was put back, and the office must see it.
func (h *Hub) applied(ctx context.Context, c caller, seq uint64) error {
	_, err := h.db.ExecContext(ctx, `UPDATE terminals SET reported = $3 WHERE site = $1 AND terminal = $2 AND reported <> $3`,
		c.site, c.terminal, int64(seq))
	if err != nil {
		return fmt.Errorf("noting what a terminal has applied: %w", plain(err))
	}
	return nil
}
