package custody

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// settingTold outlives a restart, so that the next run neither tells the same again nor leaves its end out.
const settingTold = "custody.told"

// told are the broken invariants that were spoken of last, a line each: to the office, and in the log.
type told struct {
	Office []string `json:"office,omitempty"`
	Log    []string `json:"log,omitempty"`
}

// Tell makes known what Check has found, where that is not what was told last: by a sentence for the office, through alert,
// and an entry in the log (H17, H21). What stays as it was is not told again; that it is gone, is. Either of the two is
// tried without the other, since it may be the log or the queue that is broken, and again by the next call if it fails.
func (c *Custody) Tell(found []store.Violation, alert func(sentence string) error) error {
	c.telling.Lock()
	defer c.telling.Unlock()
	err := c.loadTold()
	now, changed := linesOf(found), false
	tell := func(before *[]string, say func() error) {
		if slices.Equal(now, *before) {
			return
		}
		if failed := say(); failed != nil {
			err = errors.Join(err, failed)
			return
		}
		*before, changed = now, true
	}
	tell(&c.told.Office, func() error { return alert(brokenSentence(now, c.told.Office)) })
	tell(&c.told.Log, func() error { return c.st.Append(brokenEvent(now, c.told.Log)) })
	if changed {
		err = errors.Join(err, c.keepTold())
	}
	if err != nil {
		return fmt.Errorf("telling of invariants that do not hold: %w", err)
	}
	return nil
}

// loadTold reads what earlier runs have told, once; from then on memory knows, whatever the disk takes.
func (c *Custody) loadTold() error {
	if c.told != nil {
		return nil
	}
	c.told = new(told)
	b, err := c.st.Setting(settingTold)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, c.told)
	}
	return err
}

func (c *Custody) keepTold() error {
	b, err := json.Marshal(c.told)
	if err != nil {
		return err
	}
	return c.st.SetSetting(settingTold, b)
}

// linesOf are violations as they are compared and told: sorted, each beginning with its invariant.
func linesOf(found []store.Violation) (lines []string) {
	for _, v := range found {
		lines = append(lines, v.Invariant+": "+v.Text)
	}
	slices.Sort(lines)
	return lines
}

// invariantsOf are the invariants of such lines, each once.
func invariantsOf(lines []string) (names []string) {
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		names = append(names, name)
	}
	return slices.Compact(names)
}

func brokenSentence(now, before []string) string {
	if len(now) == 0 {
		return "What must always be true at this terminal is so again: " + strings.Join(invariantsOf(before), ", ") + "."
	}
	return "What must always be true at this terminal is not: " + strings.Join(now, "; ") +
		". Tell the data protection officer, and let the maker look before anything is deleted (H17)."
}

func brokenEvent(now, before []string) audit.Event {
	action, which := "broken/", now
	if len(now) == 0 {
		action, which = "holds-again/", before
	}
	return audit.Event{Kind: audit.Fault, Row: "H17", Action: audit.Word(action + strings.Join(invariantsOf(which), "+")), Count: len(now)}
}
