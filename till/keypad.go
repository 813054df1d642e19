package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/pin"
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
			if d < '0' || d > '9' || len(digits) > t.cfg.PINLength {
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

func (t *Till) beginPIN() {
	if t.cashOnly() {
		return
	}
	if rest := t.throttle.wait(time.Now()); rest > 0 {
		t.enter(TryAgain, restWords(rest), stayMessage)
		t.view.Offer = true
		return
	}
	t.enter(Keying, "", stayKeying)
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
	if t.view.Keyed = len(t.digits); t.view.Keyed >= t.cfg.PINLength {
		t.checkPIN()
	}
}

// checkPIN verifies the digits beside the till: Argon2 takes tens of
// milliseconds by design, on a small board hundreds.
func (t *Till) checkPIN() {
	if t.view.State != Keying {
		return
	}
	digits := append([]byte(nil), t.digits...)
	t.enter(Deciding, "", stayDeciding)
	pepper, like := t.parts.Pepper, t.like
	t.start(func(context.Context) func() {
		defer clear(digits)
		subject, phc := t.verifyPIN(pepper, digits, like)
		return func() { t.pinChecked(subject, phc) }
	})
}

// verifyPIN returns whose PIN it is, or "", and the verifier that was worked
// through: somebody's, or the stand-in like it, so that both take as long.
func (t *Till) verifyPIN(pepper, digits []byte, like string) (consent.SubjectID, string) {
	var subject consent.SubjectID
	phc, found := like, false
	if len(pepper) > 0 && len(digits) == t.cfg.PINLength {
		var held string
		if subject, held, found = t.parts.People.FindPIN(pin.Index(pepper, digits)); found {
			phc = held
		}
	}
	secret := pin.Secret(pepper, digits)
	defer clear(secret)
	v, err := parseVerifier(phc)
	if err != nil || !v.holds(secret) || !found {
		subject = ""
	}
	return subject, phc
}

func (t *Till) pinChecked(subject consent.SubjectID, phc string) {
	if subject != "" {
		t.like = phc
		t.propose(identity{subject: subject, route: routePIN}, "The PIN is theirs. Compare the face.")
		return
	}
	calm := t.throttle.level <= freeWrong
	if t.throttle.wrong(time.Now()) {
		t.record(audit.Event{Kind: audit.Fault, Action: actionPINsWrong})
		if calm { // one alert for each burst: whoever guesses must not fill the office's page
			t.alert("So many wrong PINs were keyed that the PIN pad rests: somebody may be guessing. Nobody is locked out; name and cash go on.")
		}
	}
	t.again("Nobody has that PIN.", nil, false)
}

func restWords(rest time.Duration) string {
	return fmt.Sprintf("The PIN pad rests for %d s after wrong PINs. Look the pupil up by name.", int(rest.Seconds()+0.999))
}
