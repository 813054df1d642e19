package register

import (
	"errors"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/consent"
)

func referencesFor(m Mode) []Reference {
	var all []Reference
	for _, need := range m.Needs() {
		all = append(all, Reference{For: need, Text: "file 7", On: consent.Date{Year: 2026, Month: 9, Day: 1}, By: "governors"})
	}
	return all
}

// No commission passes, at the hub or at a terminal, that lacks a single reference (N1).
func TestN1ACommissionProvesItself(t *testing.T) {
	for _, m := range Modes {
		whole := Commission{Mode: m, References: referencesFor(m)}
		if err := whole.Check(); err != nil {
			t.Errorf("%s with all references: %v", m, err)
		}
		for i := range whole.References {
			c := Commission{Mode: m, References: append(append([]Reference(nil), whole.References[:i]...), whole.References[i+1:]...)}
			if err := c.Check(); err == nil || !strings.Contains(err.Error(), string(whole.References[i].For)) {
				t.Errorf("%s without %s: %v", m, whole.References[i].For, err)
			}
		}
	}
	for name, spoil := range map[string]func(*Commission){
		"no such mode":       func(c *Commission) { c.Mode = "on" },
		"no title":           func(c *Commission) { c.References[0].Text = " " },
		"two lines":          func(c *Commission) { c.References[0].Text = "a\nb" },
		"nobody approved it": func(c *Commission) { c.References[3].By = "" },
		"no date":            func(c *Commission) { c.References[3].On = consent.Date{} },
		"an impossible date": func(c *Commission) { c.References[3].On = consent.Date{Year: 2026, Month: 2, Day: 30} },
		"one twice":          func(c *Commission) { c.References = append(c.References, c.References[0]) },
		"another order":      func(c *Commission) { c.References[0], c.References[1] = c.References[1], c.References[0] },
	} {
		c := Commission{Mode: ModeFingers, References: referencesFor(ModeFingers)}
		spoil(&c)
		entry := Entry{Seq: 1, Terminal: "till-1", Kind: KindCommand, Command: &Command{Do: Commissioned, Commission: &c}}
		if _, err := entry.Marshal(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, e := range map[string]Entry{
		"for every terminal": {Command: &Command{Do: Commissioned, Commission: &Commission{Mode: ModeOff}}},
		"none":               {Terminal: "till-1", Command: &Command{Do: Commissioned}},
		"with a block":       {Terminal: "till-1", Command: &Command{Do: Block, Commission: &Commission{Mode: ModeOff}}},
	} {
		e.Seq, e.Kind = 1, KindCommand
		if _, err := e.Marshal(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
