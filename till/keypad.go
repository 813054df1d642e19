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

// NameFirst reports whether a PIN at this site opens nothing without a claimed name.
func (t *Till) NameFirst() bool { return t.pinLength() < shortPIN }

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

// checkPIN verifies the digits beside the till: Argon2 takes tens of
// milliseconds by design, on a small board hundreds.
func (t *Till) checkPIN() {
	if t.view.State != Keying {
		return
	}
	try := pinTry{digits: append([]byte(nil), t.digits...), length: t.view.PINLength, claimed: t.claimed, like: t.like}
	t.enter(Deciding, "", stayDeciding)
	t.start(func(context.Context) func() {
		defer clear(try.digits)
		found := t.verifyPIN(try)
		return func() { t.pinChecked(try.claimed, found) }
	})
}

// pinTry is a PIN that has been keyed.
type pinTry struct {
	digits  []byte
	length  int
	claimed consent.SubjectID // whose it should be; "" where the PIN itself says so
	like    string            // verifier to work through when nobody's fits
}

// pinFound is what came of a try.
type pinFound struct {
	subject  consent.SubjectID // "" when it was wrong
	verifier string            // that was worked through: somebody's, or the stand-in, so that both take as long
	revision uint64            // of the claimed person's record
}

// verifyPIN says whose PIN it is. A terminal without a pepper knows none, and neither do PINs of another length.
func (t *Till) verifyPIN(try pinTry) pinFound {
	f := pinFound{verifier: try.like}
	pepper := t.parts.Pepper
	var owner consent.SubjectID
	if len(pepper) > 0 && len(try.digits) == try.length {
		owner = t.pinOwner(try, &f)
	}
	secret := pin.Secret(pepper, try.digits)
	defer clear(secret)
	if v, err := parseVerifier(f.verifier); err == nil && v.holds(secret) {
		f.subject = owner
	}
	return f
}

// pinOwner finds whose verifier decides: the claimed person's, or that of whoever has these digits.
func (t *Till) pinOwner(try pinTry, f *pinFound) consent.SubjectID {
	if try.claimed == "" {
		owner, held, ok := t.parts.People.FindPIN(pin.Index(t.parts.Pepper, try.digits))
		if ok {
			f.verifier = held
		}
		return owner
	}
	p, err := t.parts.People.Person(try.claimed)
	if err != nil || p.PINVerifier == "" {
		return ""
	}
	f.verifier, f.revision = p.PINVerifier, p.Revision
	return try.claimed
}

func (t *Till) pinChecked(claimed consent.SubjectID, found pinFound) {
	spent := claimed != "" && t.throttle.spent(claimed, found.revision)
	if found.subject != "" && !spent {
		t.like = found.verifier
		delete(t.throttle.ofOne, claimed)
		t.propose(identity{subject: found.subject, route: routePIN}, "The PIN is theirs. Compare the face.")
		return
	}
	calm := t.throttle.level <= freeWrong
	if t.throttle.wrong(time.Now()) {
		t.record(audit.Event{Kind: audit.Fault, Action: actionPINsWrong})
		if calm { // one alert for each burst: whoever guesses must not fill the office's page
			t.alert("So many wrong PINs were keyed that the PIN pad rests: somebody may be guessing. Nobody is locked out; name and cash go on.")
		}
	}
	say := "Nobody has that PIN."
	if claimed != "" {
		say = "That is not this person's PIN."
		if t.throttle.missed(claimed, found.revision) {
			t.alert("So many wrong PINs were keyed for one name that PINs are taken for it no more at this till until a new one is drawn. Name and photo go on.")
		}
		if t.throttle.spent(claimed, found.revision) {
			say = "Too many wrong PINs for this name. Serve by name and photo; the office draws a new PIN."
		}
	}
	t.keepThrottle(func() { t.again(say, nil, false) })
}

func restWords(rest time.Duration) string {
	return fmt.Sprintf("The PIN pad rests for %d s after wrong PINs. Look the pupil up by name.", int(rest.Seconds()+0.999))
}
