package terminald

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/keyslot/swtpmtest"
)

// fram is a memory chip on a bus of its own: two bytes of position, no pages, writes at once.
type fram struct {
	cells     []byte
	unplugged bool
}

func (f *fram) String() string                  { return "testbus" }
func (f *fram) SetSpeed(physic.Frequency) error { return nil }
func (f *fram) Close() error                    { return nil }

func (f *fram) Tx(_ uint16, w, r []byte) error {
	if f.unplugged {
		return errors.New("no acknowledgement")
	}
	at := int(w[0])<<8 | int(w[1])
	copy(f.cells[at:], w[2:])
	copy(r, f.cells[at:])
	return nil
}

// device is a terminal's card and its two modules.
type device struct {
	t    *testing.T
	c    Config
	chip string // folder with the TPM's memory; "" for a terminal without one
	fram *fram
	log  bytes.Buffer
}

// newDevice makes a terminal whose store has its key in the slot of a kind, with a TPM if that or another kind is one.
func newDevice(t *testing.T, kind string, others ...string) *device {
	t.Helper()
	d := &device{t: t, c: Default(), fram: &fram{cells: make([]byte, 32<<10)}}
	if slices.Contains(append(others, kind), keyslot.KindTPM) {
		d.chip = t.TempDir()
	}
	d.c.Store.Dir = t.TempDir()
	d.c.Keyslot.Kind, d.c.Keyslot.I2C.Chip, d.c.Keyslot.I2C.Bus = kind, "mb85rc256", "testbus"
	d.plug()
	slot, err := d.c.createSlot(kind)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Create(d.c.Store.Dir, slot, store.Identity{Site: "oakfield", Terminal: "till-1"}, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.SetSecrets(map[string][]byte{"pepper": []byte("kept")}), st.Close()); err != nil {
		t.Fatal(err)
	}
	return d
}

// plug connects both modules until the test ends.
func (d *device) plug() {
	d.t.Helper()
	if d.chip != "" {
		d.c.Keyslot.TPM.Device = swtpmtest.Start(d.t, d.chip)
	}
	if err := i2creg.Register("testbus", nil, -1, func() (i2c.BusCloser, error) { return d.fram, nil }); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { i2creg.Unregister("testbus") })
}

// otherTPM puts another TPM in the place of this one.
func (d *device) otherTPM() {
	d.t.Helper()
	d.chip = d.t.TempDir()
	d.c.Keyslot.TPM.Device = swtpmtest.Start(d.t, d.chip)
}

// copy is the device as a power cut at this moment leaves it, kept until t ends; its modules are not plugged in yet.
func (d *device) copy(t *testing.T) *device {
	d.t.Helper()
	to := &device{c: d.c, fram: &fram{cells: slices.Clone(d.fram.cells)}}
	to.c.Store.Dir = t.TempDir()
	err := os.CopyFS(to.c.Store.Dir, os.DirFS(d.c.Store.Dir))
	if d.chip != "" {
		to.chip = t.TempDir()
		err = errors.Join(err, os.CopyFS(to.chip, os.DirFS(d.chip)))
	}
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chmod(to.c.slotPath(), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) { // CopyFS widens modes
		d.t.Fatal(err)
	}
	return to
}

// open starts the terminal and looks whether everything is there; it gives the epoch.
func (d *device) open() uint64 {
	d.t.Helper()
	st, err := openStore(d.c, slog.New(slog.NewTextHandler(&d.log, nil)), store.Options{})
	if err != nil {
		d.t.Fatalf("the terminal does not start: %v", err)
	}
	defer st.Close()
	if secret, err := st.Secret("pepper"); err != nil || string(secret) != "kept" {
		d.t.Errorf("the store has lost a secret: %q, %v", secret, err)
	}
	if len(st.Warnings()) != 0 {
		d.t.Errorf("warnings: %q", st.Warnings())
	}
	return st.Epoch()
}

// wantOneSlot looks into all three slots: the key is in the one that the note names, and the others hold nothing.
func (d *device) wantOneSlot() string {
	d.t.Helper()
	use, err := d.c.use()
	if err != nil || use.From != "" {
		d.t.Fatalf("not settled: %+v, %v", use, err)
	}
	for _, kind := range []string{keyslot.KindFile, keyslot.KindTPM, keyslot.KindI2C} {
		slot, err := d.c.openSlot(kind)
		empty := errors.Is(err, os.ErrNotExist)
		if err == nil {
			words, err := slot.Health()
			if err != nil {
				d.t.Fatal(err)
			}
			empty = strings.HasSuffix(words, ", empty, empty")
		} else if !empty {
			d.t.Fatal(err)
		}
		if empty == (kind == use.Kind) {
			d.t.Errorf("the key is in %s, and %s is empty: %t", use.Kind, kind, empty)
		}
	}
	return use.Kind
}

type cut struct {
	step string
	*device
}

// moveCuts moves a key and copies the device at each step.
func moveCuts(t *testing.T, from, to string) (cuts []cut) {
	t.Run("move", func(sub *testing.T) { // its end unplugs the modules
		d := newDevice(sub, from, to)
		o := store.Options{OnStep: func(step string) { cuts = append(cuts, cut{step, d.copy(t)}) }}
		if err := MigrateKeyslot(d.c, to, slog.New(slog.DiscardHandler), o); err != nil {
			sub.Fatal(err)
		}
		if now := d.wantOneSlot(); now != to {
			sub.Errorf("the key is in %s", now)
		}
	})
	return cuts
}

// A cut at each step of a move leaves a terminal that starts with one of the two slots, and empties the other.
func TestI2MigrateIsCutAtEachStep(t *testing.T) {
	for _, way := range []struct{ from, to string }{{"file", "tpm"}, {"tpm", "i2c"}, {"i2c", "file"}} {
		t.Run(way.from+" to "+way.to, func(t *testing.T) {
			cuts := moveCuts(t, way.from, way.to)
			if cuts == nil {
				t.Skip("no modules to move between")
			}
			var steps []string
			for _, c := range cuts {
				steps = append(steps, c.step)
			}
			want := []string{stepNoted, store.StepSlot, store.StepTable, store.StepRetired, store.StepDone, stepSettled}
			if diff := cmp.Diff(want, steps); diff != "" {
				t.Fatalf("steps (-want +got):\n%s", diff)
			}
			for i, c := range cuts {
				t.Run("cut at "+c.step, func(t *testing.T) {
					c.t = t
					c.plug()
					epoch, kind := uint64(1), way.from
					if i >= 2 { // the table is committed
						epoch, kind = 2, way.to
					}
					for range 2 { // what the first start has settled the second finds in order
						if got := c.open(); got != epoch {
							t.Errorf("epoch %d, want %d", got, epoch)
						}
						if got := c.wantOneSlot(); got != kind {
							t.Errorf("the key is in %s, want %s", got, kind)
						}
					}
				})
			}
		})
	}
}

// After a move the configuration may say what it likes: the terminal starts, and says so.
func TestMovedKeysOutrankTheConfiguration(t *testing.T) {
	d := newDevice(t, "file")
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	if err := MigrateKeyslot(d.c, "i2c", log, store.Options{}); err != nil {
		t.Fatal(err)
	}
	d.open()
	if !strings.Contains(d.log.String(), "the configuration names another key slot") {
		t.Errorf("the log does not say that the configuration is old: %s", d.log.String())
	}
	var words bytes.Buffer
	if err := KeyslotStatus(d.c, &words); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"slot:    i2c, to which the keys were moved; the configuration still says file", "key:     that of epoch 2 is there", "memory chip itself has not been tested"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("the status lacks %q:\n%s", want, words.String())
		}
	}
	if err := MigrateKeyslot(d.c, "i2c", log, store.Options{}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("moved to where it is: %v", err)
	}
}

// The new slot breaks in the middle: the terminal serves on with the old one, and the move is not begun again until the
// keys in the broken one can be destroyed.
func TestMigrateIntoABrokenSlot(t *testing.T) {
	d := newDevice(t, "file")
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	broken := store.Options{OnStep: func(step string) { d.fram.unplugged = step == stepNoted }}
	if err := MigrateKeyslot(d.c, "i2c", log, broken); err == nil || !strings.Contains(err.Error(), "is the module plugged in") {
		t.Fatalf("%v", err)
	}
	if epoch := d.open(); epoch != 1 {
		t.Errorf("epoch %d", epoch)
	}
	if !strings.Contains(d.log.String(), "an interrupted move of the root keys is not finished") {
		t.Errorf("the log is silent: %s", d.log.String())
	}
	if err := MigrateKeyslot(d.c, "i2c", log, store.Options{}); err == nil || !strings.Contains(err.Error(), "make it answer") {
		t.Errorf("%v", err)
	}
	d.fram.unplugged = false
	d.open()
	if kind := d.wantOneSlot(); kind != "file" {
		t.Errorf("the key is in %s", kind)
	}
	if err := MigrateKeyslot(d.c, "i2c", log, store.Options{}); err != nil {
		t.Error(err)
	}
	if kind := d.wantOneSlot(); kind != "i2c" {
		t.Errorf("the key is in %s", kind)
	}
}

// A key that is lost is one sentence that names the officer to be told (H16), and changes nothing.
func TestH16LostKeys(t *testing.T) {
	for _, tc := range []struct {
		kind string
		lose func(d *device)
	}{
		{"file", func(d *device) { os.Remove(d.c.slotPath()) }},
		{"tpm", func(d *device) { os.Remove(d.c.tpmPath()) }},
		{"tpm", func(d *device) { d.c.Keyslot.TPM.Device = swtpmtest.Start(d.t, d.t.TempDir()) }},
		{"i2c", func(d *device) { clear(d.fram.cells) }},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			d := newDevice(t, tc.kind)
			before, err := os.ReadFile(filepath.Join(d.c.Store.Dir, "keytable"))
			if err != nil {
				t.Fatal(err)
			}
			tc.lose(d)
			_, err = openStore(d.c, slog.New(slog.DiscardHandler), store.Options{})
			if err == nil || !strings.Contains(err.Error(), "data protection officer (H16)") {
				t.Errorf("opened without a key: %v", err)
			}
			if after, err := os.ReadFile(filepath.Join(d.c.Store.Dir, "keytable")); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the key table has changed: %v", err)
			}
			if err := KeyslotStatus(d.c, &d.log); err == nil {
				t.Error("the status finds nothing wrong")
			}
		})
	}
}
