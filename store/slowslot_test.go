package store_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

// slowSlot is a key slot whose module lets others wait, at the operation that the test names.
type slowSlot struct {
	keyslot.Memory
	at      string
	begun   chan struct{}
	answers chan error // what it says in the end
}

func newSlowSlot(b *bench, at string) *slowSlot {
	s := &slowSlot{Memory: keyslot.Memory{Rand: b.rand}, begun: make(chan struct{}), answers: make(chan error)}
	s.Fault = func(operation string) error {
		if operation != s.at {
			return nil
		}
		s.begun <- struct{}{}
		return <-s.answers
	}
	s.at = at
	return s
}

// A key slot that takes its time, or never answers, stops nobody's lunch: PINs and names are looked up while a wipe waits for it,
// and whom it wipes is not matched any more. When it says no, the wipe is taken up again.
func TestSlowKeySlotStopsNobody(t *testing.T) {
	for _, operation := range []string{"next", "retire"} {
		t.Run(operation, func(t *testing.T) {
			b := newBench(t)
			b.st.Close()
			slot := newSlowSlot(b, "")
			var err error
			if b.st, err = store.Create(b.path("second"), slot, testID, b.options()); err != nil {
				t.Fatal(err)
			}
			ids := b.permit(3, 2)
			seq, _ := b.st.Applied()
			slot.at = operation
			wiped := make(chan error)
			withdraw := func() { _, err := b.st.Apply(withdrawals(seq, ids[:1]), seq+1, nil); wiped <- err }

			go withdraw()
			<-slot.begun
			if _, _, ok := b.st.FindPIN(person(1).PINIndex); !ok {
				t.Error("a PIN is not found while the slot is waited for")
			}
			if p, err := b.st.Person(ids[0]); err != nil || p.Name == "" {
				t.Errorf("a name is not found: %v", err)
			}
			if got := held(t, b.st); got[ids[0]] != nil || len(got) != 2 {
				t.Errorf("%d subjects are matched", len(got))
			}
			b.now = b.now.Add(3 * time.Second)
			slot.answers <- errors.New("the module does not answer: check its wiring")
			if err := <-wiped; err == nil || !strings.Contains(err.Error(), "check its wiring") {
				t.Errorf("a wipe whose slot did not answer: %v", err)
			}
			if took := b.st.SlotTook(); took < store.SlowSlot {
				t.Errorf("the slot took %v", took)
			}

			go withdraw()
			<-slot.begun
			slot.answers <- nil
			if err := <-wiped; err != nil || b.st.HasFingerKey(ids[0]) {
				t.Errorf("the second try: %v", err)
			}
			slot.at = ""
			wantSound(t, b.st)
		})
	}
}

// The key file of another user, whatever its mode, is refused in words: whoever owns it can read it.
func TestKeyFileOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: giving a file to another user needs root")
	}
	b := newBench(t)
	b.permit(1, 1)
	b.st.Close()
	if err := os.Chown(b.key(), 4242, 4242); err != nil {
		t.Fatal(err)
	}
	before := b.list()
	if st, err := openDir(b.dir, b.options()); err == nil {
		st.Close()
		t.Error("it opens")
	} else if errors.Is(err, keyslot.ErrNoKey) || !strings.Contains(err.Error(), "belongs to another user") || !strings.Contains(err.Error(), "chown") {
		t.Errorf("error: %v", err)
	}
	if b.list() != before {
		t.Error("files were changed")
	}
	if err := os.Chown(b.dir, 4242, 4242); err != nil { // root looks at a store whose user is another
		t.Fatal(err)
	}
	b.st = b.open(b.dir)
	wantSound(t, b.st)
}
