package till

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store/audit"
)

// Result is what one press came to: for measurements and the demonstration,
// never for a log. Subject is empty unless somebody was proposed (A15, F7).
type Result struct {
	Subject   consent.SubjectID
	Finger    uint8
	Score     float64 // of the best candidate, whoever that is
	Margin    float64 // to the best candidate of another subject
	Threshold float64
	Gallery   int    // templates searched
	Quality   uint8  // 0 to 100
	Why       string // one sentence
	Wire      time.Duration
	Compute   time.Duration // from the last row used to the decision
	Rows      float64       // of the image, 0..1: less than 1 when the decision fell on the way
}

// Scan asks for a finger: the operator's key. Where none may be used, the view
// says why and the other routes stay open.
func (t *Till) Scan(ctx context.Context) error {
	return t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		if ok, why := t.fingers(); !ok {
			t.enter(FingersOff, why, stayMessage)
			return nil
		}
		t.enter(Reading, "Waiting for a finger on the glass.", stayReading)
		t.awaitFinger(false)
		return nil
	})
}

// fingers reports whether a finger may be read now, and if not, why.
func (t *Till) fingers() (bool, string) {
	switch {
	case !t.cfg.Biometrics:
		return false, "This site does not use fingers. Serve by PIN, name or cash."
	case !t.biometrics():
		_, why := t.parts.Custody.Fingers()
		return false, why
	case t.reader == nil:
		return false, "This terminal has no sensor. Serve by PIN, name or cash."
	}
	if on, why := t.parts.Custody.Fingers(); !on {
		return false, "Fingers are off: " + why
	}
	if t.lent != "" {
		return false, "The sensor is " + t.lent + ". Serve by PIN, name or cash."
	}
	if !t.reader.ready.Load() {
		return false, "The sensor is " + *t.reader.words.Load() + ". Serve by PIN, name or cash."
	}
	return true, ""
}

// biometrics is the site's mode, by its configuration and by its hub (A16).
func (t *Till) biometrics() bool { return t.cfg.Biometrics && t.parts.Custody.Biometrics() }

// arm lets the sensor look by itself for the next pupil, where the site's
// profile says so. Called in states in which nothing else is going on.
func (t *Till) arm() {
	if t.cfg.Trigger == OnRequest || t.cfg.Trigger == OnTouch && t.parts.Touch == nil {
		return
	}
	if ok, _ := t.fingers(); !ok {
		t.start(func(ctx context.Context) func() { // look again when the sensor or the lease may be back
			sleep(ctx, heartbeat, nil)
			return t.arm
		})
		return
	}
	if t.cfg.Trigger == OnPoll {
		t.awaitFinger(true)
		return
	}
	t.start(func(ctx context.Context) func() {
		select {
		case t.touching <- struct{}{}: // one at a time may wait; the last turn's waiter may need a moment to leave
			defer func() { <-t.touching }()
		case <-ctx.Done():
			return nil
		}
		if err := t.parts.Touch.Wait(ctx); err != nil {
			sleep(ctx, heartbeat, nil)
			return t.arm
		}
		return func() {
			t.enter(Reading, "", stayReading)
			t.awaitFinger(false)
		}
	})
}

// awaitFinger has the sensor look for a finger until the turn ends; lifted is
// explained at reader.press.
func (t *Till) awaitFinger(lifted bool) {
	turn := t.turn
	t.start(func(ctx context.Context) func() { return t.readFinger(ctx, turn, lifted) })
}

// readFinger waits for a press and searches for it. It runs beside the till.
func (t *Till) readFinger(ctx context.Context, turn uint64, lifted bool) func() {
	locked.Scrub()
	defer locked.Scrub()
	var verdict matcher.Verdict
	p, err := t.reader.press(ctx, lifted, func() {
		t.post(turn, func() { t.show(Reading, "", stayReading) })
	}, func(sofar *matcher.Template) bool {
		var err error
		verdict, err = t.identify(ctx, sofar, t.cfg.Policy.Early())
		return err == nil && verdict.Found
	})
	defer p.clear() // the probe is overwritten before anybody hears of the decision
	if err == nil && p.rows == 1 {
		verdict, err = t.identify(ctx, p.template, t.cfg.Policy)
	}
	if err != nil {
		return func() { t.unread(p, err) }
	}
	r := Result{Quality: p.quality, Wire: p.wire, Rows: p.rows, Compute: time.Since(p.last), Gallery: t.parts.Gallery.Len()}
	r.Score, r.Finger = verdict.Best.Score, verdict.Best.Finger
	r.Margin, r.Threshold, r.Why = verdict.Margin, verdict.Threshold, verdict.Why
	return func() { t.decide(verdict, r, p.advice) }
}

// identify searches for a probe and judges what it is like. The candidates are
// overwritten: who else was alike is nobody's business (F7).
func (t *Till) identify(ctx context.Context, probe *matcher.Template, policy matcher.Policy) (matcher.Verdict, error) {
	candidates, err := t.parts.Gallery.Identify(ctx, probe, 2)
	if err != nil {
		return matcher.Verdict{}, err
	}
	defer clear(candidates)
	return policy.Decide(candidates, t.parts.Gallery.Len()), nil
}

// decide turns a search's verdict into a proposal, if consent is in force now.
func (t *Till) decide(v matcher.Verdict, r Result, advice []string) {
	subject := consent.SubjectID(v.Best.Subject)
	if v.Found && t.permitted(subject) {
		r.Subject = subject
	}
	if t.parts.OnScan != nil {
		t.parts.OnScan(r)
	}
	if r.Subject == "" {
		t.again("That finger named nobody.", advice, true)
		return
	}
	band := audit.BandOf(v.Best.Score, v.Threshold)
	t.propose(identity{subject: subject, finger: true, route: RouteFinger, band: band, limit: strconv.FormatFloat(v.Threshold, 'f', 1, 64)},
		"Their "+fingerName(v.Best.Finger)+" was alike ("+string(band)+"). This is an informed guess, not a fact: compare the face.")
}

// permitted asks custody and what was refused here since the start.
func (t *Till) permitted(subject consent.SubjectID) bool {
	if t.refused[subject] {
		return false
	}
	on, _ := t.parts.Custody.Fingers()
	ok, _ := t.parts.Custody.Permitted(subject, t.parts.Now())
	return on && ok
}

// unread says why a press gave nothing to search with.
func (t *Till) unread(p press, err error) {
	switch {
	case errors.Is(err, errLost):
		t.enter(FingersOff, "The sensor is "+*t.reader.words.Load()+". Serve by PIN, name or cash.", stayMessage)
	case errors.Is(err, errReplay):
		t.record(audit.Event{Kind: audit.Fault, Action: actionReplay})
		t.again("The sensor sent the same picture twice; it was not used.", p.advice, true)
	default:
		t.again("That press could not be read.", p.advice, true)
	}
}

// again asks for another try, in the same words whatever went wrong; after
// triesOffer tries the other routes come first. finger lets the sensor look
// again by itself.
func (t *Till) again(say string, advice []string, finger bool) {
	t.tries++
	t.enter(TryAgain, say, stayMessage)
	t.view.Advice = advice
	t.view.Offer = t.tries >= triesOffer
	if finger && !t.view.Offer {
		t.arm()
	}
}

var fingerNames = [...]string{"finger", "right thumb", "right index finger", "right middle finger", "right ring finger", "right little finger",
	"left thumb", "left index finger", "left middle finger", "left ring finger", "left little finger"}

// fingerName names a finger position of ISO/IEC 19794-2.
func fingerName(position uint8) string {
	if int(position) < len(fingerNames) {
		return fingerNames[position]
	}
	return fingerNames[0]
}
