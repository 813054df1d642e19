package terminald

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

// What each slot promises about a card that was copied before a wipe, with the modules as they are afterwards: the
// file promises nothing, and is the control; the others open nothing.
func TestACardCopiedBeforeTheWipe(t *testing.T) {
	for _, tc := range []struct {
		kind  string
		opens bool
	}{{"file", true}, {"tpm", false}, {"i2c", false}} {
		t.Run(tc.kind, func(t *testing.T) {
			d := newDevice(t, tc.kind)
			id, err := consent.NewSubjectID(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			apply := func(st *store.Store, seq uint64, decision consent.Decision) {
				t.Helper()
				change := store.Change{Seq: seq, Subject: id, Standing: store.Standing{Decision: decision}}
				if _, err := st.Apply([]store.Change{change}, seq, []byte("head")); err != nil {
					t.Fatal(err)
				}
			}
			d.with(func(st *store.Store) {
				apply(st, 1, consent.Permit)
				if err := st.PutTemplates([]store.TemplateRecord{{Subject: id, Finger: 2, Data: []byte("ridges"), Enrolled: time.Now()}}); err != nil {
					t.Fatal(err)
				}
			})
			before := d.copy(t).c.Store.Dir
			d.with(func(st *store.Store) { apply(st, 2, consent.Erase) })
			if found := d.templates(); found != 0 {
				t.Fatalf("%d templates after the wipe", found)
			}
			d.c.Store.Dir = before // the old card in the terminal of today
			if tc.opens {
				if found := d.templates(); found != 1 {
					t.Errorf("%d templates on the old card: the control shows nothing", found)
				}
				return
			}
			_, err = openStore(d.c, slog.New(slog.DiscardHandler), store.Options{})
			if !errors.Is(err, keyslot.ErrNoKey) {
				t.Errorf("the old card opens: %v", err)
			}
			if tc.kind == "tpm" && !errors.Is(err, keyslot.ErrRolledBack) {
				t.Errorf("the old card is not recognised: %v", err)
			}
		})
	}
}

func (d *device) with(f func(*store.Store)) {
	d.t.Helper()
	st, err := openStore(d.c, slog.New(slog.NewTextHandler(io.Discard, nil)), store.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	f(st)
	if err := st.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) templates() (n int) {
	d.t.Helper()
	d.with(func(st *store.Store) {
		if err := st.EachTemplate(func(store.TemplateRecord) error { n++; return nil }); err != nil {
			d.t.Fatal(err)
		}
	})
	return n
}
