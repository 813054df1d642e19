// Package pin is what a hub, which draws PINs, and a terminal, which checks them, must agree on.
//
// A PIN has six digits unless the site's profile says four, so whoever can try them all in peace has it in seconds. Three things stand in the way. Its blind index,
// by which its owner is found, is keyed with the site's pepper. Its verifier is Argon2id over digits that have been keyed with the same
// pepper: a stolen database alone, or a stolen person record, can be tried against nothing. The pepper lies in the hub's key folder, and on a
// terminal in the key table, which only the key slot opens. And where the pepper is stolen too, each try costs what [Calibrate] has
// found the slowest terminal to bear.
//
// PINs of four digits open nothing by themselves, since many pupils have the same: they are keyed behind a name that was claimed
// first, of whom a wrong one is counted.
package pin

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"
)

// Index is the blind index by which a PIN's owner is found: 32 bytes that say nothing without the site's pepper.
func Index(pepper, digits []byte) []byte { return keyed(pepper, digits) }

// Secret is what the verifier of a PIN is made from, with Argon2id: the digits, keyed with the pepper. The caller clears it.
func Secret(pepper, digits []byte) []byte { return keyed(pepper, []byte("verifier\x00"), digits) }

func keyed(pepper []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, pepper)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// Cost is what one Argon2id computation takes (RFC 9106).
type Cost struct {
	Passes  uint32 `json:"passes"`
	KiB     uint32 `json:"kib"`
	Threads uint8  `json:"threads"`
}

// Least is the cheapest cost that OWASP's password storage sheet recommends; no calibration goes below it.
var Least = Cost{Passes: 2, KiB: 19 << 10, Threads: 1}

// Most bounds a calibration: what a till accepts at all is not much more.
var Most = Cost{Passes: 10, KiB: 64 << 10, Threads: 1}

// A check at the till shall take between Quick and Slow: long for whoever must try a million, short for whoever queues.
const (
	Quick = 300 * time.Millisecond
	Slow  = 500 * time.Millisecond
)

// work is to what the time of a computation is proportional.
func (c Cost) work() float64 { return float64(c.Passes) * float64(c.KiB) * float64(c.Threads) }

// Cheaper reports whether c costs less than d.
func (c Cost) Cheaper(d Cost) bool { return c.work() < d.work() }

// goal is how long a check shall take at the cost that Calibrate has found.
const goal = (Quick + Slow) / 2

// TooCheap reports whether a check at this cost takes less than Quick on a machine for which now was found.
func (c Cost) TooCheap(now Cost) bool { return c.work()*float64(goal) < now.work()*float64(Quick) }

// TooSlow reports whether it takes longer than Slow there.
func (c Cost) TooSlow(now Cost) bool { return c.work()*float64(goal) > now.work()*float64(Slow) }

func (c Cost) String() string {
	return fmt.Sprintf("%d passes over %d MiB", c.Passes, c.KiB>>10)
}

// Measure computes once at this cost and says how long it took by now.
func (c Cost) Measure(now func() time.Time) time.Duration {
	begin := now()
	clear(argon2.IDKey(make([]byte, sha256.Size), make([]byte, 16), c.Passes, c.KiB, c.Threads, 32))
	return now().Sub(begin)
}

// Calibrate chooses the cost for which one check on this machine, one at a time, takes from Quick to Slow, and measures it. A machine that is
// too slow even for Least gets Least, one that is too fast for Most gets Most; took then lies outside.
func Calibrate(measure func(Cost) time.Duration) (c Cost, took time.Duration) {
	once := min(measure(Least), measure(Least)) // the first run also fetches the memory
	wanted := Least.work() * float64(goal) / float64(max(once, time.Microsecond))
	c = Least
	if wanted > float64(Most.Passes)*float64(c.KiB) { // more memory hurts special hardware more than more passes do
		c.KiB = Most.KiB
	}
	c.Passes = uint32(min(max(wanted/float64(c.KiB)+0.5, 2), float64(Most.Passes)))
	return c, measure(c)
}
