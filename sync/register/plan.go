package register

import (
	"cmp"
	"slices"

	"github.com/tillprint/tillprint/consent"
)

// Plan is what verified entries ask of one terminal, in the order in which it has to be done: Commands that stop something,
// Erase, then Settle.
type Plan struct {
	Commands []Issued // for this terminal, in sequence
	// Commission is the newest of Commands'; nil if unchanged.
	Commission *Commission
	Terminals  []Peer   // the newest list; nil if unchanged
	Profile    *Profile // the newest profile; nil if unchanged
	// Erase are subjects whose fingers must go although a later entry of the same batch lets them back in: what was taken
	// under the withdrawn consent is not kept under the new one (D1).
	Erase []Standing
	// Settle is the newest standing of each subject, revocations before grants.
	Settle []Standing
}

// Issued is a command and the entry that brought it.
type Issued struct {
	Seq uint64
	Command
}

// Standing is a subject's standing and the entry that brought it.
type Standing struct {
	Seq uint64
	Subject
}

// NewPlan sorts verified entries, in sequence, for the terminal with the given name.
func NewPlan(entries []*Entry, terminal string) Plan {
	var p Plan
	newest := make(map[consent.SubjectID]Standing)
	erased := make(map[consent.SubjectID]Standing)
	for _, e := range entries {
		if e.Terminal != "" && e.Terminal != terminal {
			continue
		}
		switch e.Kind {
		case KindCommand:
			p.Commands = append(p.Commands, Issued{e.Seq, *e.Command})
			if e.Command.Do == Commissioned {
				p.Commission = e.Command.Commission
			}
		case KindTerminals:
			p.Terminals = e.Terminals
		case KindProfile:
			p.Profile = e.Profile
		case KindSubject:
			newest[e.Subject.ID] = Standing{e.Seq, *e.Subject}
			if e.Subject.Decision == consent.Erase {
				erased[e.Subject.ID] = newest[e.Subject.ID]
			}
		}
	}
	for id, s := range newest {
		p.Settle = append(p.Settle, s)
		if e, ok := erased[id]; ok && s.Decision != consent.Erase {
			p.Erase = append(p.Erase, e)
		}
	}
	strictest := func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.ID, b.ID))
	}
	slices.SortFunc(p.Erase, strictest)
	slices.SortFunc(p.Settle, strictest)
	return p
}
