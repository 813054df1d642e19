package keyslot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"

	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/keyslot/swtpmtest"
)

// tpmBench is a slot in a software TPM, with its file.
type tpmBench struct {
	t    testing.TB
	path string
	o    keyslot.TPMOptions
	slot *keyslot.TPM
}

func newTPM(t testing.TB) *tpmBench {
	t.Helper()
	return newTPMOn(t, swtpmtest.Start(t, t.TempDir()), 0)
}

func newTPMOn(t testing.TB, device string, index uint32) *tpmBench {
	t.Helper()
	o := keyslot.TPMOptions{Device: device, Index: index, Timeout: 10 * time.Second}
	b := &tpmBench{t: t, path: filepath.Join(t.TempDir(), "keyslot.tpm"), o: o}
	b.create()
	return b
}

func (b *tpmBench) create() {
	b.t.Helper()
	var err error
	if b.slot, err = keyslot.CreateTPM(b.path, rand.NewChaCha8([32]byte{8}), b.o); err != nil {
		b.t.Fatal(err)
	}
}

// open is what a restart does.
func (b *tpmBench) open() {
	b.t.Helper()
	var err error
	if b.slot, err = keyslot.OpenTPM(b.path, rand.NewChaCha8([32]byte{9}), b.o); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tpmBench) next(epoch uint64) []byte {
	b.t.Helper()
	key := make([]byte, keyslot.KeySize)
	if err := b.slot.Next(epoch, key); err != nil {
		b.t.Fatal(err)
	}
	return key
}

func (b *tpmBench) retire(epoch uint64) {
	b.t.Helper()
	if err := b.slot.Retire(epoch); err != nil {
		b.t.Fatal(err)
	}
}

// card is the file as it lies on the card; put lays an earlier one back.
func (b *tpmBench) card() []byte {
	b.t.Helper()
	text, err := os.ReadFile(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

func (b *tpmBench) put(card []byte) {
	b.t.Helper()
	if err := os.WriteFile(b.path, card, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tpmBench) wantDead(epoch uint64) {
	b.t.Helper()
	key := make([]byte, keyslot.KeySize)
	if err := b.slot.Key(epoch, key); !errors.Is(err, keyslot.ErrNoKey) || !strings.Contains(err.Error(), "H16") {
		b.t.Errorf("epoch %d is not dead: %v", epoch, err)
	}
	if !bytes.Equal(key, make([]byte, keyslot.KeySize)) {
		b.t.Errorf("epoch %d: an error, and a key all the same", epoch)
	}
}

// A copy of the card from before a wipe opens nothing, even if its numbers are changed so that only the chip can say no.
func TestTPMOldCopiesAreDead(t *testing.T) {
	b := newTPM(t)
	b.next(1)
	b.retire(1)
	old := b.card()
	b.next(2)
	both := b.card()
	b.retire(2)
	now := b.card()
	for _, card := range [][]byte{old, both} {
		b.put(card)
		b.wantDead(1)
		if err := b.slot.Key(1, make([]byte, keyslot.KeySize)); !errors.Is(err, keyslot.ErrRolledBack) {
			t.Errorf("an old copy is not recognised: %v", err)
		}
	}
	var lie map[string]any
	if err := json.Unmarshal(old, &lie); err != nil {
		t.Fatal(err)
	}
	lie["spent"] = 99
	lie["keys"].([]any)[0].(map[string]any)["counter"] = 99
	forged, err := json.Marshal(lie)
	if err != nil {
		t.Fatal(err)
	}
	b.put(forged)
	b.wantDead(1)
	if err := b.slot.Key(1, make([]byte, keyslot.KeySize)); !errors.Is(err, tpm2.TPMRCPolicyFail) {
		t.Errorf("the chip has not refused: %v", err)
	}
	b.put(now)
	b.wantDead(1)
	if err := b.slot.Key(2, make([]byte, keyslot.KeySize)); err != nil {
		t.Error(err)
	}
}

// A counter that is deleted and made anew starts above every key that there has been.
func TestTPMDestroyIsForEver(t *testing.T) {
	b := newTPM(t)
	b.next(1)
	b.retire(1)
	old := b.card()
	for range 2 { // repeating does no harm
		if err := b.slot.Destroy(); err != nil {
			t.Fatal(err)
		}
	}
	b.wantDead(1)
	b.put(old)
	b.wantDead(1)
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
	b.create()
	b.put(old)
	b.wantDead(1)
}

// Power cuts between the steps of a wipe, as the card and the chip remember them.
func TestTPMCuts(t *testing.T) {
	b := newTPM(t)
	one := b.next(1)
	want(t, b.slot, 1, one) // the table of a new store is read back before anything is retired
	b.retire(1)
	abandoned := b.next(2)
	card := b.card()
	b.open()
	want(t, b.slot, 1, one)
	want(t, b.slot, 2, abandoned) // the table may have been written
	b.retire(1)                   // it was not: the next key is forgotten
	b.wantDead(2)
	two := b.next(2)
	before := b.card()
	b.retire(2)
	b.put(before) // the counter was raised, but the file was not yet written
	b.open()
	want(t, b.slot, 2, two)
	b.wantDead(1)
	b.retire(2)
	b.put(card)
	b.wantDead(2) // the abandoned key of the same epoch has died too
	if words, err := b.slot.Health(); err != nil || !strings.Contains(words, "counter") {
		t.Errorf("health: %q, %v", words, err)
	}
}

// The chip remembers over a power cycle.
func TestTPMPowerCycle(t *testing.T) {
	dir := t.TempDir()
	b := &tpmBench{t: t, path: filepath.Join(t.TempDir(), "keyslot.tpm")}
	var one, card []byte
	t.Run("before", func(t *testing.T) { // its end switches the chip off
		b.o = keyslot.TPMOptions{Device: swtpmtest.Start(t, dir), Timeout: 10 * time.Second}
		b.create()
		b.next(1)
		b.retire(1)
		card = b.card()
		one = b.next(2)
		b.retire(2)
	})
	if one == nil {
		t.Skip("no TPM to switch off")
	}
	b.o.Device = swtpmtest.Start(t, dir)
	b.open()
	want(t, b.slot, 2, one)
	b.put(card)
	b.wantDead(1)
}

func TestTPMFaults(t *testing.T) {
	key := make([]byte, keyslot.KeySize)
	ask := func(b *tpmBench) error { return b.slot.Key(1, key) }
	reopen := func(b *tpmBench) error { _, err := keyslot.OpenTPM(b.path, nil, b.o); return err }
	shared := swtpmtest.Start(t, t.TempDir())
	for i, tc := range []struct {
		name  string
		fault func(b *tpmBench)
		do    func(b *tpmBench) error
		says  string
		noKey bool
	}{
		{"another TPM", func(b *tpmBench) { b.o.Device = swtpmtest.Start(b.t, b.t.TempDir()) }, reopen, "it was cleared, or it is another one", true},
		{"counter deleted", func(b *tpmBench) {
			card := b.card()
			b.slot.Destroy()
			b.put(card)
		}, ask, "no counter of this store", true},
		{"index set to another", func(b *tpmBench) { b.o.Index = 0x01800001 }, reopen, "keyslot.tpm.index says 0x1800001", false},
		{"file missing", func(b *tpmBench) { os.Remove(b.path) }, ask, "is missing", true},
		{"file cut off", func(b *tpmBench) { b.put(b.card()[:200]) }, ask, "cut off", true},
		{"file too large", func(b *tpmBench) { b.put(make([]byte, 1<<20)) }, ask, "too large", false},
		{"file from tomorrow", func(b *tpmBench) { b.put(bytes.Replace(b.card(), []byte(`"version":1`), []byte(`"version":2`), 1)) }, ask, "newer version", false},
		{"a link", func(b *tpmBench) { os.Rename(b.path, b.path+"2"); os.Symlink(b.path+"2", b.path) }, ask, "opening the sealed keys", false},
		{"counter made up", func(b *tpmBench) {
			b.put(bytes.Replace(b.card(), []byte(`"spent":`), []byte(`"spent":9999`), 1))
		}, func(b *tpmBench) error { return b.slot.Next(2, key) }, "do not fit the TPM's counter", false},
		{"blob damaged", func(b *tpmBench) {
			text := b.card()
			at := bytes.Index(text, []byte(`"private":"`)) + 60
			text[at] ^= 1
			b.put(text)
		}, ask, "the blob is damaged", true},
		// These two change the chip for all, and come last.
		{"cleared", clearTPM, reopen, "it was cleared", true},
		{"owner password", func(b *tpmBench) { ownTPM(b); os.Remove(b.path) },
			func(b *tpmBench) error { _, err := keyslot.CreateTPM(b.path, nil, b.o); return err }, "owner password", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newTPMOn(t, shared, keyslot.DefaultTPMIndex+uint32(i))
			b.next(1)
			b.retire(1)
			tc.fault(b)
			err := tc.do(b)
			if err == nil || !strings.Contains(err.Error(), tc.says) || errors.Is(err, keyslot.ErrNoKey) != tc.noKey {
				t.Errorf("%v", err)
			}
		})
	}
	b := newTPM(t)
	if _, err := keyslot.CreateTPM(b.path, nil, b.o); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over sealed keys: %v", err)
	}
}

// clearTPM is TPM2_Clear, as firmware setups offer it.
func clearTPM(b *tpmBench) {
	b.direct(func(chip *tpmConn) error {
		_, err := tpm2.Clear{AuthHandle: tpm2.TPMRHLockout}.Execute(chip)
		return err
	})
}

func ownTPM(b *tpmBench) {
	if err := b.slot.Destroy(); err != nil {
		b.t.Fatal(err)
	}
	b.direct(func(chip *tpmConn) error {
		_, err := tpm2.HierarchyChangeAuth{AuthHandle: tpm2.TPMRHOwner, NewAuth: tpm2.TPM2BAuth{Buffer: []byte("theirs")}}.Execute(chip)
		return err
	})
}

type tpmConn struct{ send func([]byte) ([]byte, error) }

func (c *tpmConn) Send(in []byte) ([]byte, error) { return c.send(in) }

// direct speaks to the chip without the slot, through go-tpm's own transport.
func (b *tpmBench) direct(f func(*tpmConn) error) {
	b.t.Helper()
	chip, err := linuxudstpm.Open(b.o.Device)
	if err != nil {
		b.t.Fatal(err)
	}
	defer chip.Close()
	if err := f(&tpmConn{chip.Send}); err != nil {
		b.t.Fatal(err)
	}
}

// fakeTPM answers each connection with f, on a socket.
func fakeTPM(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); f(c) }()
		}
	}()
	return path
}

func answering(answer []byte) func(net.Conn) {
	return func(c net.Conn) {
		command := make([]byte, 4096)
		for {
			if _, err := c.Read(command); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}

func TestTPMThatDoesNotAnswer(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	busy := []byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0x09, 0x22} // TPM_RC_RETRY
	for _, tc := range []struct {
		name, device, says string
		waits              time.Duration // for an answer that never comes; the busy one must have been heard once
	}{
		{"no device", filepath.Join(t.TempDir(), "tpmrm0"), "is the module fitted", 0},
		{"a plain file", plain, "neither a TPM device nor a socket", 0},
		{"a device that is none", "/dev/null", "hung up", 0},
		{"silent", fakeTPM(t, func(c net.Conn) { io.Copy(io.Discard, c) }), "does not answer", 30 * time.Millisecond},
		{"half an answer, then silence", fakeTPM(t, func(c net.Conn) { c.Write(busy[:7]); io.Copy(io.Discard, c) }), "does not answer", 30 * time.Millisecond},
		{"hangs up", fakeTPM(t, func(c net.Conn) { c.Read(make([]byte, 4096)) }), "hung up", 0},
		{"something else", fakeTPM(t, answering([]byte("220 mail.example.org ESMTP\r\n"))), "does not answer as a TPM does", 0},
		{"always busy", fakeTPM(t, answering(busy)), "busy and stays so", 500 * time.Millisecond},
		{"not started", fakeTPM(t, answering([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0x01, 0})), "was not started", 0},
	} {
		path := filepath.Join(t.TempDir(), "keyslot.tpm")
		o := keyslot.TPMOptions{Device: tc.device, Timeout: 10 * time.Second}
		if tc.waits > 0 {
			o.Timeout = tc.waits
		}
		_, err := keyslot.CreateTPM(path, nil, o)
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was left", tc.name)
		}
	}
}

// What goes over the wires between board and module can be listened to: the seed is not in it.
func TestTPMWiresCarryNoKey(t *testing.T) {
	b := newTPM(t)
	var mu sync.Mutex
	var heard bytes.Buffer
	listen := func(to io.Writer, from io.Reader) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			mu.Lock()
			heard.Write(buffer[:n])
			mu.Unlock()
			if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
				return
			}
		}
	}
	chip := b.o.Device
	b.o.Device = fakeTPM(t, func(c net.Conn) {
		back, err := net.Dial("unix", chip)
		if err != nil {
			return
		}
		defer back.Close()
		go listen(c, back)
		listen(back, c)
	})
	seed := bytes.Repeat([]byte{0xa5, 0x17, 0x3c, 0x99}, 8)
	slot, err := keyslot.OpenTPM(b.path, bytes.NewReader(seed), b.o)
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, keyslot.KeySize)
	if err := errors.Join(slot.Next(1, key), slot.Retire(1), slot.Key(1, key)); err != nil {
		t.Fatal(err)
	}
	var file struct{ SRK []byte }
	if err := json.Unmarshal(b.card(), &file); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !bytes.Contains(heard.Bytes(), file.SRK) {
		t.Fatal("nothing was heard, so the test shows nothing")
	}
	if bytes.Contains(heard.Bytes(), seed[:8]) || bytes.Contains(heard.Bytes(), key[:8]) {
		t.Error("the key can be heard on the wires")
	}
}

// Whatever the chip answers, the slot ends with an error.
func FuzzTPMAnswer(f *testing.F) {
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0})
	f.Add([]byte{0x80, 2, 0, 0, 0, 18, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x80, 2, 0, 0, 0, 10, 0, 0, 0x01, 0x25})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, answer []byte) {
		o := keyslot.TPMOptions{Device: fakeTPM(t, answering(answer)), Timeout: 20 * time.Millisecond}
		if _, err := keyslot.CreateTPM(filepath.Join(t.TempDir(), "k"), nil, o); err == nil {
			t.Error("a slot in a TPM that is none")
		}
	})
}

func BenchmarkTPM(b *testing.B) {
	bench := newTPM(b)
	key := make([]byte, keyslot.KeySize)
	epoch := uint64(1)
	bench.next(epoch)
	bench.retire(epoch)
	b.Run("Key", func(b *testing.B) {
		for b.Loop() {
			if err := bench.slot.Key(epoch, key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("NextRetire", func(b *testing.B) {
		for b.Loop() {
			epoch++
			if err := errors.Join(bench.slot.Next(epoch, key), bench.slot.Retire(epoch)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
