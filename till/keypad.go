package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Key takes one key of the pupil's keypad or the page's: '0' to '9', '#' to end
// early, '*' to clear. The first digit begins a PIN and puts the sensor to rest;
// the last one of the site's length sends it off.
func (t *Till) Key(ctx context.Context, key rune) error {
	return t.do(ctx, func() error {
		if t.enrolling() || t.view.State == Deciding {
			return ErrBusy
		}
		switch {
		case key == '*':
			t.idle("")
		case key == '#':
			t.checkPIN()
		case key >= '0' && key <= '9':
			t.digit(byte(key))
		default:
			return fmt.Errorf("till: %q is no key of a PIN pad", key)
		}
		return nil
	})
}

// PIN takes a whole PIN, as a card reader or a test hands it over.
func (t *Till) PIN(ctx context.Context, digits string) error {
	return t.do(ctx, func() error {
		if t.enrolling() || t.view.State == Deciding {
			return ErrBusy
		}
		for _, d := range []byte(digits) {
			if d < '0' || d > '9' || len(digits) > t.view.PINLength {
				return errors.New("till: a PIN is digits only, of the site's length")
			}
		}
		if t.beginPIN(); t.view.State == Keying {
			t.digits = append(t.digits, digits...)
			t.checkPIN()
		}
		return nil
	})
}

// Keypad readies the till for a PIN, before the first digit.
func (t *Till) Keypad(ctx context.Context) error {
	return t.do(ctx, func() error {
		if t.enrolling() || t.view.State == Deciding {
			return ErrBusy
		}
		t.beginPIN()
		return nil
	})
}

// Claim readies the till for the PIN of a person whom the operator picked from a look-up. Where PINs are short this is the only way
// to key one; the name and the photo alone serve as well as ever.
func (t *Till) Claim(ctx context.Context, subject consent.SubjectID) error {
	if _, err := consent.ParseSubjectID(string(subject)); err != nil {
		return err
	}
	return t.do(ctx, func() error {
		if t.enrolling() || t.view.State == Deciding {
			return ErrBusy
		}
		t.view.PINLength = t.pinLength()
		if t.readyForPIN() {
			t.enter(Keying, "", stayKeying)
			t.claimed = subject
			t.record(audit.Event{Kind: audit.Operator, Action: actionChosen, Subject: subject, Route: routeName})
		}
		return nil
	})
}

// shortPIN is the length below which a PIN names nobody: so many pupils have one that a guess would open somebody's account.
const shortPIN = 6

func (t *Till) pinLength() int {
	if t.parts.PINDigits != nil {
		if n := t.parts.PINDigits(); n >= 4 && n <= 10 {
			return n
		}
	}
	return t.cfg.PINLength
}

// nameFirst reports whether a PIN at this site opens nothing without a claimed name.
func (t *Till) nameFirst() bool { return t.pinLength() < shortPIN }

func (t *Till) beginPIN() {
	if t.view.PINLength = t.pinLength(); t.view.PINLength < shortPIN {
		if !t.cashOnly() {
			t.enter(Looking, "Find the name first. Then the pupil keys the PIN.", stayLooking)
		}
		return
	}
	if t.readyForPIN() {
		t.enter(Keying, "", stayKeying)
	}
}

// readyForPIN reports whether a PIN may be keyed now, and shows why not.
func (t *Till) readyForPIN() bool {
	if t.cashOnly() {
		return false
	}
	if rest := t.throttle.wait(time.Now()); rest > 0 {
		t.enter(TryAgain, restWords(rest), stayMessage)
		t.view.Offer = true
		return false
	}
	return true
}

func (t *Till) digit(d byte) {
	if t.view.State != Keying {
		t.beginPIN()
	}
	if t.view.State != Keying {
		return
	}
	t.digits = append(t.digits, d)
	t.until = time.Now().Add(stayKeying)
	t.timer.Reset(stayKeying)
	if t.view.Keyed = len(t.digits); t.view.Keyed >= t.view.PINLength {
		t.checkPIN()
	}
}

func restWords(rest time.Duration) string {
	return fmt.Sprintf("The PIN pad rests for %d s after wrong PINs. Look the pupil up by name.", int(rest.Seconds()+0.999))
}
