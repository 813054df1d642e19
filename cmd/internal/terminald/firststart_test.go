package terminald

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// card is what a flashed card holds at its first start, and the hub that its code is for.
type card struct {
	t    *testing.T
	f    *fleet
	c    Config
	code string
	file string // the join file
}

func newCard(t *testing.T) *card {
	t.Helper()
	k := &card{t: t, f: newFleet(t), c: Default(), file: filepath.Join(t.TempDir(), joinfile.Name)}
	k.c.Store.Dir, k.c.Keyslot.Kind = filepath.Join(t.TempDir(), "store"), keyslot.KindFile
	k.newCode()
	return k
}

// newCode puts a join file with a fresh code onto the card.
func (k *card) newCode() {
	k.t.Helper()
	var err error
	k.code, err = k.f.hub.NewJoinCode(k.t.Context(), "oakfield", "office", "till-1")
	must(k.t, err)
	text, err := joinfile.File{Code: k.code}.Marshal()
	must(k.t, err)
	must(k.t, os.WriteFile(k.file, text, 0o600))
}

// start is the first start, or the next one after a cut. The hub answers, or refuses for good: nothing is waited for.
func (k *card) start() (store.Identity, error) {
	never := func(time.Duration) <-chan time.Time { k.t.Error("it waits"); return nil }
	ctx, stop := context.WithTimeout(k.t.Context(), 20*time.Second)
	defer stop()
	return FirstStart(ctx, k.c, k.file, slog.New(slog.DiscardHandler), never)
}

// The steps of a first start, in their order, each undone from behind by the next power cut.
func (k *card) slot() {
	must(k.t, os.MkdirAll(k.c.Store.Dir, 0o700))
	_, err := k.c.createFirst()
	must(k.t, err)
}

func (k *card) keys() []byte {
	request, err := JoinRequest(k.c, k.code, "till-1")
	must(k.t, err)
	return request
}

func (k *card) admitted() {
	_, _, err := k.f.hub.JoinFile(k.t.Context(), "office", k.keys())
	must(k.t, err)
}

func (k *card) rootKey() {
	k.admitted()
	slot, err := k.c.openSlot(k.c.firstKind())
	must(k.t, err)
	must(k.t, slot.Next(1, make([]byte, keyslot.KeySize)))
}

func (k *card) joins() {
	_, err := Join(k.t.Context(), k.c, k.code, "till-1")
	must(k.t, err)
}

func (k *card) without(name string) {
	k.joins()
	must(k.t, os.Remove(filepath.Join(k.c.Store.Dir, name)))
}

// Power is lost after each step of the first start: the next start ends as the first would have, under the same name, with the
// same code; or says that the code is spent, and a new one is enough.
func TestPowerLostAtEachStepOfTheFirstStart(t *testing.T) {
	for _, c := range []struct {
		step string
		cut  func(*card)
		want error
	}{
		{"before anything", func(*card) {}, nil},
		{"a slot, and no keys in it", (*card).slot, nil},
		{"keys, and the hub not asked", func(k *card) { k.keys() }, nil},
		{"the hub has answered, and nothing came of it", (*card).admitted, nil},
		{"the store's own key, and no table", (*card).rootKey, terminal.ErrJoinRefused},
		{"a table, and no records", func(k *card) { k.without("records.db") }, nil},
		{"a store that does not know its place", func(k *card) { k.without("place.json") }, nil},
		{"all but the join file's end", (*card).joins, nil},
		{"the join file overwritten, and not deleted", func(k *card) {
			k.joins()
			info, err := os.Stat(k.file)
			must(k.t, err)
			must(k.t, os.WriteFile(k.file, make([]byte, info.Size()), 0o600))
		}, nil},
		{"the join file deleted", func(k *card) { k.joins(); must(k.t, os.Remove(k.file)) }, nil},
	} {
		t.Run(c.step, func(t *testing.T) {
			t.Parallel()
			k := newCard(t)
			c.cut(k)
			if _, err := k.start(); !errors.Is(err, c.want) {
				t.Fatalf("the next start: %v, want %v", err, c.want)
			}
			if c.want != nil {
				if _, err := os.Stat(k.file); err != nil {
					t.Errorf("the file is gone though nothing came of it: %v", err)
				}
				k.newCode()
				if _, err := k.start(); err != nil {
					t.Fatalf("with a new code: %v", err)
				}
			}
			if left, _ := os.ReadDir(filepath.Dir(k.file)); len(left) > 0 {
				t.Errorf("%s is left on the first partition", left[0].Name())
			}
			st, err := openStore(k.c, slog.New(slog.DiscardHandler), store.Options{})
			must(t, err)
			defer st.Close()
			if name := st.Identity().Terminal; c.want == nil && name != "till-1" || !strings.HasPrefix(name, "till-1") {
				t.Errorf("it is called %s", name)
			}
		})
	}
}
