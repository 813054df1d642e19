package hub

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/pin"
)

// usualDigits is the length of a PIN where the profile does not say otherwise.
const usualDigits = 6

// sparsePINs keeps a guess of six digits at one in at least twenty. Four digits open nothing without a name, and are drawn as long as
// half of them are free.
var sparsePINs = map[int]int{usualDigits: 50_000, 4: 5_000}

// drawnPIN is a PIN between its draw and the moment it is shown.
type drawnPIN struct {
	digits   string
	index    []byte
	verifier string
}

// DrawPINs gives each of the subjects a new PIN, which replaces an older one. The
// digits are in the answer and are kept nowhere: print them now.
func (h *Hub) DrawPINs(ctx context.Context, site, officer string, ids []consent.SubjectID) ([]Added, error) {
	if len(ids) > MaxSubjects {
		return nil, fmt.Errorf("%w: at most %d PINs at a time", ErrInvalid, MaxSubjects)
	}
	if sorted := slices.Sorted(slices.Values(ids)); len(slices.Compact(sorted)) != len(ids) {
		return nil, fmt.Errorf("%w: somebody is in the list twice", ErrInvalid)
	}
	var out []Added
	err := h.withPINs(ctx, site, len(ids), func(tx *sql.Tx, pins []drawnPIN) error {
		out = make([]Added, 0, len(ids))
		for i, id := range ids {
			r, err := tx.ExecContext(ctx, `UPDATE subjects SET pin_index = $3, pin_verifier = $4, person_rev = person_rev + 1
				WHERE site = $1 AND subject = $2`, site, id, pins[i].index, pins[i].verifier)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err == nil && n == 0 {
				return fmt.Errorf("%w: there is no subject %.40q", ErrNotFound, id)
			}
			if err := h.note(ctx, tx, site, officer, "drew a PIN", string(id)); err != nil {
				return err
			}
			out = append(out, Added{id, pins[i].digits})
		}
		return h.settle(ctx, tx, site, ids)
	})
	if err != nil {
		return nil, fmt.Errorf("drawing PINs: %w", err)
	}
	return out, nil
}

// withPINs runs f in a change of the site with n PINs that nobody there has. The
// slow verifiers are made before the change begins; if another office draws the
// same digits meanwhile, the unique index refuses and everything is done again.
func (h *Hub) withPINs(ctx context.Context, site string, n int, f func(*sql.Tx, []drawnPIN) error) error {
	for try := 0; ; try++ {
		pins, err := h.draw(ctx, site, n)
		if err != nil {
			return err
		}
		err = h.write(ctx, site, func(tx *sql.Tx) error { return f(tx, pins) })
		if !unique(err) || n == 0 || try == 3 {
			return err
		}
	}
}

// draw makes n PINs with their indices and verifiers. Digits live only in what it
// returns: they are shown or printed once and can be drawn anew, never looked up.
func (h *Hub) draw(ctx context.Context, site string, n int) ([]drawnPIN, error) {
	if n == 0 {
		return nil, nil
	}
	pepper, err := h.keys.sitePepper(site)
	if err != nil {
		return nil, fmt.Errorf("deriving the PIN pepper: %w", err)
	}
	defer clear(pepper)
	taken := map[string]bool{}
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var index []byte
		err := r.Scan(&index)
		taken[string(index)] = true
		return err
	}, `SELECT pin_index FROM subjects WHERE site = $1 AND pin_index IS NOT NULL`, site)
	if err != nil {
		return nil, err
	}
	s, err := h.Site(ctx, site)
	if err != nil {
		return nil, err
	}
	digits := cmp.Or(s.Profile.PINDigits, usualDigits)
	if len(taken)+n > sparsePINs[digits] {
		return nil, fmt.Errorf("%w: a site can have at most %d PINs of %d digits", ErrInvalid, sparsePINs[digits], digits)
	}
	pins := make([]drawnPIN, n)
	for i := range pins {
		if pins[i], err = freshPIN(h.config.Rand, digits, pepper, taken); err != nil {
			return nil, err
		}
	}
	cost, err := h.pinCost(ctx, site)
	if err != nil {
		return nil, err
	}
	return pins, h.verifiers(ctx, pins, pepper, cost)
}

// pinCost is what a verifier made now may cost: what the slowest of the site's terminals has found to take from 300 to 500 ms
// there. Verifiers that were made before keep the cost that stands in them: PINFit finds those that no longer fit.
func (h *Hub) pinCost(ctx context.Context, site string) (Cost, error) {
	if !h.measured {
		return h.config.PIN, nil
	}
	all, err := h.Terminals(ctx, site)
	if err != nil {
		return Cost{}, err
	}
	var slowest *pin.Cost
	for _, t := range all {
		if c := t.Status.PINCost; c != (pin.Cost{}) && !t.Removed && (slowest == nil || c.Cheaper(*slowest)) {
			slowest = &c
		}
	}
	if slowest == nil {
		return Cost(pin.Least), nil // no terminal has joined yet; once one has, PINFit finds what was drawn until then
	}
	return Cost(*slowest), nil
}

// freshPIN draws until the PIN is neither taken nor the first that a thief would try.
func freshPIN(random io.Reader, length int, pepper []byte, taken map[string]bool) (drawnPIN, error) {
	n := uint32(math.Pow10(length))
	for {
		b, err := randomBytes(random, 4)
		if err != nil {
			return drawnPIN{}, err
		}
		v := binary.LittleEndian.Uint32(b)
		if v >= math.MaxUint32-math.MaxUint32%n { // every PIN equally likely
			continue
		}
		digits := fmt.Sprintf("%0*d", length, v%n)
		index := pin.Index(pepper, []byte(digits))
		if obvious(digits) || taken[string(index)] {
			continue
		}
		taken[string(index)] = true
		return drawnPIN{digits: digits, index: index}, nil
	}
}

// obvious reports digits in equal steps: 000000, 123456, 987654, 246802.
func obvious(digits string) bool {
	step := (digits[1] - digits[0] + 10) % 10
	for i := 2; i < len(digits); i++ {
		if (digits[i]-digits[i-1]+10)%10 != step {
			return false
		}
	}
	return true
}

// verifiers fills in the slow part, on all cores; it ends early with ctx.
func (h *Hub) verifiers(ctx context.Context, pins []drawnPIN, pepper []byte, cost Cost) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range pins {
		g.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			secret := pin.Secret(pepper, []byte(pins[i].digits))
			defer clear(secret)
			pins[i].verifier, err = cost.verifier(secret, h.config.Rand)
			return err
		})
	}
	return g.Wait()
}
