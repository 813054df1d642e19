package demo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// commission takes a terminal that has just joined to fingers, as a school's office does on its page: off, PINs, fingers,
// each step with what it rests on (N1). A step that is left out must be refused.
func (w *world) commission(ctx context.Context, name string) error {
	path := "/terminals/" + name + "/commission"
	fingers := register.Commission{Mode: register.ModeFingers, References: references(register.ModeFingers)}
	if err := w.office.call(ctx, http.MethodPost, path, fingers, nil); err == nil {
		return fmt.Errorf("the hub let terminal %s go from off to fingers in one step", name)
	}
	pins := register.Commission{Mode: register.ModePIN, References: references(register.ModePIN)}
	if err := w.office.call(ctx, http.MethodPost, path, pins, nil); err != nil {
		return err
	}
	return w.office.call(ctx, http.MethodPost, path, fingers, nil)
}

// references are the demo school's files.
func references(m register.Mode) []register.Reference {
	var all []register.Reference
	for i, need := range m.Needs() {
		r := register.Reference{For: need, Text: fmt.Sprintf("demo file %d", i+1), On: consent.DateOf(time.Now().AddDate(0, -2, 0)), By: "governors of the demo school"}
		if need == register.ParentsNotice {
			r.Text = notice
		}
		all = append(all, r)
	}
	return all
}

// commissioned checks that the office's log has both steps of every terminal, and that each says it has taken them.
func (w *world) commissioned(ctx context.Context) error {
	var deeds []hub.Deed
	if err := w.office.call(ctx, http.MethodGet, "/log?most=5000", nil, &deeds); err != nil {
		return err
	}
	return waitFor(ctx, "every terminal to say that it is commissioned", func() (bool, error) {
		var all []hub.TerminalState
		if err := w.office.call(ctx, http.MethodGet, "/terminals", nil, &all); err != nil {
			return false, err
		}
		for _, t := range all {
			for _, m := range register.Modes[1:] {
				said := func(d hub.Deed) bool { return d.About == t.Terminal && d.Deed == "commissioned: "+string(m) }
				if !slices.ContainsFunc(deeds, said) {
					return false, fmt.Errorf("the office's log does not say that terminal %s was commissioned for %s", t.Terminal, m)
				}
			}
			if t.Status.Mode != register.ModeFingers {
				return false, nil
			}
		}
		return len(all) == len(w.tills)+1, nil
	})
}
