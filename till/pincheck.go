package till

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/pin"
)

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
