package terminald

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// lamps are the parts of the health bar that the till itself cannot know: the
// hub, the lease (I7) and memory that could not be locked (I3), in the operator's
// words.
func (t *Terminal) lamps() []till.Lamp {
	lamps := []till.Lamp{t.hubLamp(), leaseLamp(t.Custody.Lease(), t.Store.Now()), modeLamp(t.Hub.Mode()), t.testLamp()}
	if words := t.Custody.Waiting(); words != "" {
		lamps = append(lamps, till.Lamp{Part: "Office", Words: words, Level: till.Warn})
	}
	lamps = append(lamps, noteLamps(t.notes)...)
	if locked.Trouble() != nil {
		lamps = append(lamps, till.Lamp{Part: "Memory", Words: "not locked: what is in use could reach a swap file; ask a technician", Level: till.Warn})
	}
	if broken := t.brokenNow(); len(broken) > 0 {
		lamps = append(lamps, brokenLamp(broken))
	}
	if t.network != nil {
		lamps = append(lamps, t.network.lamp())
	}
	if lamp := cardLamp(t.dir); lamp.Level != till.Good {
		lamps = append(lamps, lamp)
	}
	return lamps
}

// brokenNow are the invariants that the last check found broken.
func (t *Terminal) brokenNow() []store.Violation {
	if found := t.broken.Load(); found != nil {
		return *found
	}
	return nil
}

// brokenLamp says that an invariant does not hold (H17). What it is about stands in the doctor's words and in the office's alert.
func brokenLamp(broken []store.Violation) till.Lamp {
	var names []string
	for _, v := range broken {
		names = append(names, v.Invariant)
	}
	slices.Sort(names)
	return till.Lamp{Part: "Check", Words: "found what must never be (" + strings.Join(slices.Compact(names), ", ") + "): tell the office today; 'tillprint doctor' says more", Level: till.Bad}
}

// noteLamps are what the system has to say that has started the daemon.
func noteLamps(notes []string) []till.Lamp {
	if len(notes) == 0 {
		return nil
	}
	return []till.Lamp{{Part: "Start", Words: strings.Join(notes, "; "), Level: till.Warn}}
}

// littleRoom is when a card counts as full, in bytes: what is set aside for wipes does not count as free.
const littleRoom = 16 << 20

// cardLamp says whether the card has room.
func cardLamp(dir string) till.Lamp {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return till.Lamp{Part: "Card", Words: "cannot be asked for its room: " + err.Error(), Level: till.Warn}
	}
	return roomLamp(fs.Bavail * uint64(fs.Bsize))
}

func roomLamp(free uint64) till.Lamp {
	if free < littleRoom {
		return till.Lamp{Part: "Card", Words: fmt.Sprintf("full, %d MiB left: serving goes on, but enrolments and records may be refused; tell the office today", free>>20), Level: till.Bad}
	}
	return till.Lamp{Part: "Card", Words: fmt.Sprintf("%d MiB free", free>>20), Level: till.Good}
}

// modeLamp says how far the terminal is commissioned (N1).
func modeLamp(m register.Mode) till.Lamp {
	switch m {
	case register.ModeFingers:
		return till.Lamp{Part: "Commissioned", Words: "for fingers", Level: till.Good}
	case register.ModePIN:
		return till.Lamp{Part: "Commissioned", Words: "for PINs", Level: till.Good}
	}
	return till.Lamp{Part: "Commissioned", Words: "not yet: cash only", Level: till.Warn}
}

// cashOnly is why nobody may be identified by anything, if that is so.
func (t *Terminal) cashOnly() string {
	if on, why := t.Hub.Fingers(); !on && t.Hub.Mode() == register.ModeOff {
		return why
	}
	return ""
}

// alert queues a sentence for the office.
func (t *Terminal) alert(sentence string) error {
	defer t.Hub.Wake()
	_, err := t.Store.Enqueue(store.Item{Kind: terminal.ItemAlert, Text: sentence})
	return err
}

func (t *Terminal) hubLamp() till.Lamp {
	s := t.Hub.State()
	switch {
	case s.Problem != "":
		return till.Lamp{Part: "Hub", Words: s.Problem, Level: till.Warn}
	case !s.Reachable:
		return till.Lamp{Part: "Hub", Words: "not reached yet", Level: till.Warn}
	case s.Applied < s.Head:
		return till.Lamp{Part: "Hub", Words: fmt.Sprintf("%d changes to come", s.Head-s.Applied), Level: till.Warn}
	case s.Pending > 0:
		return till.Lamp{Part: "Hub", Words: fmt.Sprintf("%d messages to send", s.Pending), Level: till.Good}
	}
	return till.Lamp{Part: "Hub", Words: "in contact", Level: till.Good}
}

func leaseLamp(until, now time.Time) till.Lamp {
	left := until.Sub(now)
	switch {
	case until.IsZero():
		return till.Lamp{Part: "Lease", Words: "none yet: fingers begin with the first contact", Level: till.Warn}
	case left <= 0:
		return till.Lamp{Part: "Lease", Words: "ended: fingers are off until the hub is reached", Level: till.Bad}
	case left < 24*time.Hour:
		return till.Lamp{Part: "Lease", Words: "ends " + until.Local().Format("Mon 15:04"), Level: till.Warn}
	}
	return till.Lamp{Part: "Lease", Words: "until " + until.Local().Format("Mon 2 Jan"), Level: till.Good}
}
