package till

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// A PIN names its owner by itself, so there is no account to lock: guessing is
// slowed for the whole till instead (field.md 5F). Each wrong PIN fills a bucket
// by one, which leaks one a minute; above freeWrong each further one costs a
// delay that doubles up to longestRest. Nobody is locked out of lunch by it: the
// name look-up is always open.
const (
	freeWrong   = 4
	leakEvery   = time.Minute
	longestRest = time.Minute
	mostOfOne   = 10 // wrong PINs in a row for one claimed name, after which PINs are not taken for it here until a new one is drawn
)

// throttle is owned by the till's goroutine.
type throttle struct {
	level float64   // how full the bucket is
	at    time.Time // when level was true
	until time.Time // PINs are not taken before this
	ofOne map[consent.SubjectID]misses
}

// misses are wrong PINs in a row for one claimed name.
type misses struct {
	Revision uint64 `json:"revision"` // of the person's record: a new PIN begins anew
	Count    int    `json:"count"`
}

// wait returns how long the PIN pad still rests; 0 when it may be used.
func (h *throttle) wait(now time.Time) time.Duration { return max(0, h.until.Sub(now)) }

// wrong notes a wrong PIN and reports whether this one made the pad rest.
func (h *throttle) wrong(now time.Time) bool {
	if !h.at.IsZero() {
		h.level = max(0, h.level-now.Sub(h.at).Minutes()/leakEvery.Minutes())
	}
	h.level = min(h.level+1, mostLevel)
	h.at = now
	return h.rest(now)
}

// rest makes the pad rest as the level asks for, and reports whether it does.
func (h *throttle) rest(now time.Time) bool {
	over := h.level - freeWrong
	if over <= 0 {
		return false
	}
	rest := time.Duration(math.Exp2(math.Min(over, 10)) * float64(time.Second))
	h.until = now.Add(min(rest, longestRest))
	return true
}

// missed notes a wrong PIN for a claimed name and reports whether it is the one after which PINs are taken for it no more.
func (h *throttle) missed(who consent.SubjectID, revision uint64) bool {
	m := h.ofOne[who]
	if m.Revision != revision {
		m = misses{Revision: revision}
	}
	m.Count++
	if h.ofOne == nil {
		h.ofOne = map[consent.SubjectID]misses{}
	}
	h.ofOne[who] = m
	return m.Count == mostOfOne
}

// spent reports whether PINs are taken for a claimed name no more.
func (h *throttle) spent(who consent.SubjectID, revision uint64) bool {
	m := h.ofOne[who]
	return m.Revision == revision && m.Count >= mostOfOne
}

// settingThrottle is what a restart must not forget: pulling the plug would buy a guesser fresh tries.
const settingThrottle = "till.throttle"

// keptThrottle is what the disk knows. It holds no time: a board without a clock would read it wrongly. A restart counts as
// though the last wrong PIN had come just now.
type keptThrottle struct {
	Level float64                      `json:"level"`
	OfOne map[consent.SubjectID]misses `json:"of_one,omitempty"`
}

func (h *throttle) marshal() ([]byte, error) { return json.Marshal(keptThrottle{h.level, h.ofOne}) }

// recallThrottle reads what the disk knows. What cannot be read is as good as many wrong PINs.
func (t *Till) recallThrottle() {
	if t.parts.Settings == nil {
		return
	}
	b, err := t.parts.Settings.Setting(settingThrottle)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	var kept keptThrottle
	if err != nil || json.Unmarshal(b, &kept) != nil || !(kept.Level >= 0 && kept.Level <= mostLevel) {
		kept = keptThrottle{Level: mostLevel}
	}
	now := time.Now()
	t.throttle = throttle{level: kept.Level, at: now, ofOne: kept.OfOne}
	t.throttle.rest(now)
}

// mostLevel bounds the bucket, so that a long attack does not make the pad rest for hours after it.
const mostLevel = 30

// keepThrottle makes a wrong PIN durable beside the till, and only then lets show say that it was wrong.
func (t *Till) keepThrottle(show func()) {
	if t.parts.Settings == nil {
		show()
		return
	}
	b, err := t.throttle.marshal()
	if err != nil {
		panic(fmt.Sprintf("till: a throttle cannot be written: %v", err)) // cannot happen: numbers and words
	}
	settings := t.parts.Settings
	t.start(func(context.Context) func() {
		err := settings.SetSetting(settingThrottle, b)
		return func() {
			if err != nil {
				t.trouble++
			}
			show()
		}
	})
}
