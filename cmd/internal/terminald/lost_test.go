package terminald

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// placed notes where a device belongs, as a start of the daemon does.
func (d *device) placed() *device {
	d.t.Helper()
	bytes32 := base64.StdEncoding.EncodeToString(make([]byte, 32))
	note := `{"site":"oakfield","terminal":"till-1","hubs":["https://hub.lan:8443"],"pin":"` + bytes32 + `","key":"` + bytes32 + `"}`
	if err := os.WriteFile(terminal.PlacePath(d.c.Store.Dir), []byte(note), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return d
}

func (d *device) opening() *opening {
	return &opening{c: d.c, log: slog.New(slog.NewTextHandler(&d.log, nil)), trial: func() bool { return false }}
}

func (d *device) path(name string) string { return filepath.Join(d.c.Store.Dir, name) }

// A key that is gone, however it went, ends in a fresh store that asks to be let in again; the old files stay.
func TestH16LostKeyBeginsAnew(t *testing.T) {
	for _, tc := range []struct {
		name, kind string
		lose       func(d *device)
	}{
		{"key file gone", keyslot.KindFile, func(d *device) { os.Remove(d.c.slotPath()) }},
		{"key file emptied", keyslot.KindFile, func(d *device) { os.Truncate(d.c.slotPath(), 0) }},
		{"key file overwritten", keyslot.KindFile, func(d *device) { os.WriteFile(d.c.slotPath(), make([]byte, 36864), 0o600) }},
		{"key table gone", keyslot.KindFile, func(d *device) { os.Remove(d.path("keytable")) }},
		{"key table cut off", keyslot.KindFile, func(d *device) { os.Truncate(d.path("keytable"), 30) }},
		{"begun anew and cut", keyslot.KindFile, func(d *device) {
			if _, err := store.SetAside(d.c.Store.Dir, store.Options{}); err != nil {
				d.t.Fatal(err)
			}
		}},
		{"another memory chip", keyslot.KindI2C, func(d *device) { clear(d.fram.cells) }},
		{"a memory chip with noise", keyslot.KindI2C, func(d *device) {
			for i := range d.fram.cells {
				d.fram.cells[i] = byte(i*7 + i>>8)
			}
		}},
		{"another TPM", keyslot.KindTPM, func(d *device) { d.otherTPM() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDevice(t, tc.kind).placed()
			tc.lose(d)
			p := d.opening()
			var st *store.Store
			err := errors.New("not tried")
			for range lossTries {
				if st != nil {
					t.Fatal("begun anew after a single look")
				}
				st, err = p.try()
			}
			if err != nil {
				t.Fatal(err)
			}
			if name := st.Identity().Terminal; !strings.HasPrefix(name, "till-1-") {
				t.Errorf("it is called %s", name)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(d.log.String(), "H16") {
				t.Errorf("the log says %q", d.log.String())
			}
			aside, err := filepath.Glob(d.path("records.db.aside-*"))
			if err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v, %v", aside, err)
			}
			st, err = d.opening().try() // no loop: the next start finds it in order
			if err != nil {
				t.Fatal(err)
			}
			st.Close()
		})
	}
}

// What only does not answer, or is wrongly set, is no loss: nothing is set aside, however often it is tried, and it opens as soon as
// it is put right.
func TestWhatIsNotALoss(t *testing.T) {
	for _, tc := range []struct {
		name, kind, says string
		spoil, mend      func(d *device)
	}{
		{"key file readable by all", keyslot.KindFile, "chmod 600", func(d *device) { os.Chmod(d.c.slotPath(), 0o644) }, func(d *device) { os.Chmod(d.c.slotPath(), 0o600) }},
		{"memory chip unplugged", keyslot.KindI2C, "plugged in", func(d *device) { d.fram.unplugged = true }, func(d *device) { d.fram.unplugged = false }},
		{"TPM does not answer", keyslot.KindTPM, "TPM", func(d *device) { os.Rename(d.c.Keyslot.TPM.Device, d.c.Keyslot.TPM.Device+"x") },
			func(d *device) { os.Rename(d.c.Keyslot.TPM.Device+"x", d.c.Keyslot.TPM.Device) }},
		{"key file is a link", keyslot.KindFile, "opening the key file", func(d *device) {
			os.Rename(d.c.slotPath(), d.path("elsewhere"))
			os.Symlink(d.path("elsewhere"), d.c.slotPath())
		}, func(d *device) { os.Rename(d.path("elsewhere"), d.c.slotPath()) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDevice(t, tc.kind).placed()
			tc.spoil(d)
			p := d.opening()
			for range 2 * lossTries {
				if _, err := p.try(); err == nil || !strings.Contains(err.Error(), tc.says) || lost(err) {
					t.Fatalf("%v", err)
				}
			}
			tc.mend(d)
			d.open()
		})
	}
}

// A terminal that lost its records but not its key keeps its name.
func TestRecordsGoneKeepTheName(t *testing.T) {
	d := newDevice(t, keyslot.KindFile).placed()
	os.Remove(d.path("records.db"))
	st, err := d.opening().try()
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if st.Identity().Terminal != "till-1" {
		t.Errorf("it is %v", st.Identity())
	}
}

// While the store cannot be opened cash is taken, and what was recorded meanwhile is in the log afterwards.
func TestCashWhileTheStoreIsClosed(t *testing.T) {
	d := newDevice(t, keyslot.KindFile)
	d.c.Page.Listen, d.c.Sensor.Port = "127.0.0.1:0", ""
	log := slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))
	served := false
	st, err := takeCash(t.Context(), d.c, log, Hooks{Serving: func() { served = true }}, errors.New("the card is read-only"), d.opening().try)
	if err != nil || st == nil || !served {
		t.Fatalf("%v, served %t", err, served)
	}
	defer st.Close()
	memory, err := store.Create(filepath.Join(t.TempDir(), "s"), &keyslot.Memory{Rand: zeros{}}, store.Identity{Site: "none", Terminal: "none"}, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	if err := memory.Append(audit.Event{Kind: audit.Operator, Action: "served", Route: "cash"}); err != nil {
		t.Fatal(err)
	}
	s := &shelter{store: memory}
	if err := s.handOver(st); err != nil {
		t.Fatal(err)
	}
	var cash, starts int
	if err := st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Route == "cash" && e.Epoch == st.Epoch() {
			cash++
		}
		if e.Kind == audit.Start {
			starts++
		}
		return true
	}); err != nil || cash != 1 || starts != 2 {
		t.Errorf("%d sales for cash, %d starts, %v", cash, starts, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func() (*store.Store, error) { return nil, errors.New("no") }
	if st, err := takeCash(ctx, d.c, log, Hooks{}, errors.New("no"), never); st != nil || err != nil {
		t.Errorf("stopped while closed: %v, %v", st, err)
	}
	inUse := func() (*store.Store, error) { return nil, store.ErrInUse }
	if _, err := takeCash(t.Context(), d.c, log, Hooks{}, errors.New("no"), inUse); !errors.Is(err, store.ErrInUse) {
		t.Errorf("another daemon: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
