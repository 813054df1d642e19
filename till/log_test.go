package till

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/deploy/test/source"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/store/keyslot"
)

// logged are the things of a terminal's life that its log tells, each with what stands there. The score's band and the threshold
// are only there where a finger was compared; "any" is either's place.
var logged = []struct {
	what string
	do   func(w *world)
	want []audit.Event
}{
	{"a store is made and opened, two pupils are enrolled", func(*world) {}, []audit.Event{
		{Kind: audit.Start, Action: "create"}, {Kind: audit.Enrol, Subject: "amina", Action: "captured", Count: 3},
		{Kind: audit.Enrol, Subject: "ben", Action: "captured", Count: 3}}},
	{"a finger", func(w *world) { w.scan(w.aminas.press()); w.must(w.confirm()) },
		[]audit.Event{{Kind: audit.Match, Operator: "operator", Subject: "amina", Route: RouteFinger, Band: "any", Limit: "any"}}},
	{"a stranger's finger, of which nothing may be kept (A15)", func(w *world) { w.scan(grow(9).press()); w.must(w.till.Clear(w.ctx)) }, nil},
	{"a finger whose pupil the operator does not see", func(w *world) { w.scan(w.bens.press()); w.must(w.reject()) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Action: actionNotThem, Route: RouteFinger, Band: "any", Limit: "any"}}},
	{"a finger that nobody confirms in time", func(w *world) { w.scan(w.bens.press()); time.Sleep(ProposalLife) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Action: actionUnconfirmed, Route: RouteFinger, Band: "any", Limit: "any"}}},
	{"a finger that is cleared away", func(w *world) { w.scan(w.bens.press()); w.must(w.till.Clear(w.ctx)) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Action: actionUnconfirmed, Route: RouteFinger, Band: "any", Limit: "any"}}},
	{"a PIN whose pupil the operator does not see", func(w *world) { w.must(w.till.PIN(w.ctx, "493201")); w.must(w.reject()) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Action: actionNotThem, Route: routePIN}}},
	{"a PIN", func(w *world) { w.must(w.till.PIN(w.ctx, "493201")); w.must(w.confirm()) },
		[]audit.Event{{Kind: audit.Match, Operator: "operator", Subject: "amina", Route: routePIN}}},
	{"a name that is looked for, and nobody chosen", (*world).look, nil},
	{"a name", func(w *world) { w.look(); w.must(w.till.Choose(w.ctx, w.zoe)); w.must(w.confirm()) }, []audit.Event{
		{Kind: audit.Operator, Operator: "operator", Subject: "zoe", Action: actionChosen, Route: routeName},
		{Kind: audit.Match, Operator: "operator", Subject: "zoe", Route: routeName}}},
	{"a name that a PIN is to follow, which does not come", func(w *world) { w.must(w.till.Claim(w.ctx, w.zoe)); w.must(w.till.Clear(w.ctx)) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Subject: "zoe", Action: actionChosen, Route: routeName}}},
	{"an outside account", func(w *world) { w.must(w.till.Outside(w.ctx, "PP-1234")); w.must(w.confirm()) },
		[]audit.Event{{Kind: audit.Match, Operator: "operator", Route: routeOutside}}},
	{"cash", func(w *world) { w.must(w.till.Cash(w.ctx)) }, []audit.Event{{Kind: audit.Match, Operator: "operator", Route: routeCash}}},
	{"cash, from a browser that has said who it is", func(w *world) { w.must(w.till.Cash(As(w.ctx, "kitchen-pc"))) },
		[]audit.Event{{Kind: audit.Match, Operator: "kitchen-pc", Route: routeCash}}},
	{"cash after that", func(w *world) { w.must(w.till.Cash(w.ctx)) }, []audit.Event{{Kind: audit.Match, Operator: "operator", Route: routeCash}}},
	{"a picture that comes twice", func(w *world) {
		picture := w.aminas.press()
		w.scan(picture)
		w.scan(picture)
		w.must(w.till.Clear(w.ctx))
	}, []audit.Event{{Kind: audit.Operator, Operator: "operator", Action: actionUnconfirmed, Route: RouteFinger, Band: "any", Limit: "any"},
		{Kind: audit.Fault, Operator: "operator", Action: actionReplay}}},
	{"PINs that are guessed", func(w *world) {
		for range freeWrong + 1 {
			w.must(w.till.PIN(w.ctx, "000000"))
		}
		w.must(w.till.Clear(w.ctx))
	}, []audit.Event{{Kind: audit.Fault, Operator: "operator", Action: actionPINsWrong}}},
	{"an enrolment that begins", func(w *world) { w.must(w.till.Enrol(w.ctx, w.ben)) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionBegun}}},
	{"a finger like somebody else's", func(w *world) { w.must(w.till.EnrolYes(w.ctx)); w.press(w.aminas.press()) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionAlike}}},
	{"another finger in its place", func(w *world) { w.must(w.till.EnrolOther(w.ctx)) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionOther}}},
	{"the enrolment is given up", func(w *world) { w.must(w.till.Clear(w.ctx)) },
		[]audit.Event{{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionGivenUp}}},
	{"an enrolment that nobody goes on with", func(w *world) { w.must(w.till.Enrol(w.ctx, w.ben)); time.Sleep(stayEnrol) }, []audit.Event{
		{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionBegun},
		{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionGivenUp}}},
	{"an enrolment whose consent ends meanwhile", func(w *world) {
		w.must(w.till.Enrol(w.ctx, w.ben))
		w.must(w.till.EnrolYes(w.ctx))
		w.decide(w.ben, consent.Pause, nil)
		w.press(w.aminas.press())
		w.decide(w.ben, consent.Permit, nil)
	}, []audit.Event{
		{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionBegun},
		{Kind: audit.Command, Subject: "ben", Row: "A1", Action: "pause"},
		{Kind: audit.Operator, Operator: "operator", Subject: "ben", Action: actionStopped},
		{Kind: audit.Command, Subject: "ben", Row: "A1", Action: "permit"}}},
	{"the lease ends", func(w *world) {
		w.must(w.custody.SetLease(time.Now()))
		for range 2 { // two minutes
			_, err := w.custody.Sweep(w.ctx)
			w.must(err)
		}
		w.must(w.custody.SetLease(time.Now().Add(24 * time.Hour)))
	}, []audit.Event{{Kind: audit.Command, Row: "D3", Action: "lease-over", Count: 2}}},
	{"a restriction at the hub", func(w *world) { w.decide(w.ben, consent.Pause, nil) },
		[]audit.Event{{Kind: audit.Command, Subject: "ben", Row: "A1", Action: "pause"}}},
	{"its end", func(w *world) { w.decide(w.ben, consent.Permit, nil) },
		[]audit.Event{{Kind: audit.Command, Subject: "ben", Row: "A1", Action: "permit"}}},
	{"a refusal at the till", func(w *world) { w.must(w.till.Refuse(As(w.ctx, "hall tablet"), w.ben)) }, []audit.Event{
		{Kind: audit.Refusal, Subject: "ben", Row: "A3", Operator: "other"}, // a name that the log cannot hold loses no refusal
		{Kind: audit.Wipe, Subject: "ben", Row: "A3", Count: 3, Places: []string{"gallery", "key", "records"}}}},
	{"a withdrawal at the hub", func(w *world) { w.decide(w.amina, consent.Erase, nil) },
		[]audit.Event{{Kind: audit.Wipe, Subject: "amina", Row: "A1", Count: 3, Places: []string{"gallery", "key", "records"}}}},
	{"an order for somebody's data", (*world).export, []audit.Event{{Kind: audit.Command, Subject: "zoe", Row: "G1", Action: "export/x_0123456789abcdef"}}},
	{"the root key moves to another slot", func(w *world) { w.slot = &keyslot.Memory{Rand: w.rand}; w.must(w.store.Move(w.slot)) },
		[]audit.Event{{Kind: audit.KeyEvent, Action: "slot-moved"}}},
	{"an old card, found by the hub", func(w *world) { w.must(w.custody.Refetch("a card was put back")) }, []audit.Event{
		{Kind: audit.Match, Operator: "operator", Subject: "amina", Action: audit.TakenOver, Route: RouteFinger, Band: "any", Limit: "any"},
		{Kind: audit.Match, Operator: "operator", Subject: "amina", Action: audit.TakenOver, Route: routePIN},
		{Kind: audit.Match, Operator: "operator", Subject: "zoe", Action: audit.TakenOver, Route: routeName},
		{Kind: audit.Fault, Row: "H17", Action: "rewound"}}},
	{"an invariant that does not hold", (*world).strangerInGallery, []audit.Event{{Kind: audit.Fault, Row: "H17", Action: "broken/I1", Count: 2}}},
	{"the same an hour later", (*world).check, nil},
	{"it holds again", func(w *world) { w.gallery.RemoveSubject(string(w.zoe)); w.check() }, []audit.Event{{Kind: audit.Fault, Row: "H17", Action: "holds-again/I1"}}},
	{"the daemon ends and starts", (*world).restart, []audit.Event{{Kind: audit.Stop, Action: "close"}, {Kind: audit.Start, Action: "open"}}},
	{"old records are dropped", func(w *world) {
		w.must(w.store.Clock().Witness(time.Now()))
		_, err := w.store.PruneLog(-time.Hour, 1) // all that has been countersigned
		w.must(err)
	}, []audit.Event{{Kind: audit.Pruned, Row: "D4", Count: 1}}},
}

// Everything that must be told is written by the program itself, once, with all that explains it and with nothing that names
// anybody: no name, form, PIN or account, no score but its band, no finger, and of a match never the second best (F7).
func TestI5EveryKindOfLogEntry(t *testing.T) {
	grow(9)
	inWorld(t, nil, func(w *world) {
		seen := map[audit.Kind]bool{}
		var all []string
		next := int64(0)
		for _, row := range logged {
			row.do(w)
			synctest.Wait()
			var got []audit.Event
			w.must(w.store.Events(0, func(n int64, e audit.Event) bool {
				if n >= next || len(row.want) > 0 && row.want[0].Action == audit.TakenOver { // a new log
					got = append(got, e)
				}
				return true
			}))
			next = w.size()
			for i := range got {
				seen[got[i].Kind] = true
				text, err := got[i].Text()
				w.must(err)
				all = append(all, text)
				got[i] = w.plain(got[i])
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.what, diff)
			}
		}
		for _, k := range kindsOfEvents(t) {
			if !seen[k] {
				t.Errorf("nothing is ever logged as %q", k)
			}
		}
		wantNobody(t, strings.ToLower(strings.Join(all, "\n")))
	})
}

// plain makes an event comparable: when it was and which key and entry were in force are left out.
func (w *world) plain(e audit.Event) audit.Event {
	if e.At.IsZero() {
		w.t.Errorf("a %s event has no time", e.Kind)
	}
	e.At, e.Seq, e.Epoch = time.Time{}, 0, 0
	switch e.Subject {
	case w.amina:
		e.Subject = "amina"
	case w.ben:
		e.Subject = "ben"
	case w.zoe:
		e.Subject = "zoe"
	}
	if e.Band == audit.Clear || e.Band == audit.Strong {
		e.Band = "any"
	}
	if limit, err := strconv.ParseFloat(e.Limit, 64); err == nil && limit > 0 {
		e.Limit = "any"
	}
	return e
}

func wantNobody(t *testing.T, log string) {
	for _, personal := range []string{"amina", "khan", "owusu", "zoë", "müller", "7b", "8a", "nuts", "493201", "100200", "000000", "pp-1234", "score"} {
		if strings.Contains(log, personal) {
			t.Errorf("the log holds %q:\n%s", personal, log)
		}
	}
}

func (w *world) size() int64 {
	w.t.Helper()
	var last int64
	w.must(w.store.Recent(func(n int64, _ audit.Event) bool { last = n; return false }))
	return last + 1
}

// export answers a confirmed request of Zoë's.
func (w *world) export() {
	key, err := age.GenerateX25519Identity()
	w.must(err)
	order := export.Order{ID: "x_0123456789abcdef", Subject: w.zoe, Recipient: key.Recipient().String(), Asked: time.Now().Add(-time.Hour), Confirmed: time.Now(),
		Requester: "Zoë Müller", Identity: "passport"}
	_, err = export.Seal(w.store, export.Site{ID: "st-mary"}, order)
	w.must(err)
}

// look looks for Zoë.
func (w *world) look() {
	found, err := w.till.Lookup(w.ctx, "Zoë M")
	w.must(err)
	if len(found) != 1 {
		w.t.Errorf("looked for one and found %d", len(found))
	}
}

// strangerInGallery breaks I1: Zoë, who has not consented, can be matched.
func (w *world) strangerInGallery() {
	t, err := extract.New().Extract(w.aminas.press())
	w.must(err)
	w.must(w.gallery.Add(string(w.zoe), 2, t))
	w.check()
}

// check looks for broken invariants, as the daemon does every hour.
func (w *world) check() { w.must(w.custody.Tell(w.custody.Check(), w.alert)) }

// restart ends the till and its store and opens the store again.
func (w *world) restart() {
	w.must(w.store.Close())
	reopened, err := store.Open(w.dir, w.slot, store.Identity{}, store.Options{Rand: w.rand})
	w.must(err)
	w.store = reopened
	w.t.Cleanup(func() { reopened.Close() })
}

// kindsOfEvents reads the kinds from their source, so that none can be added without a row here.
func kindsOfEvents(t *testing.T) (kinds []audit.Kind) {
	t.Helper()
	for _, text := range source.Constants(t, "../store/audit/event.go", "Kind") {
		kinds = append(kinds, audit.Kind(text))
	}
	if len(kinds) < 11 || !slices.Contains(kinds, audit.Start) {
		t.Fatalf("only %d kinds were found", len(kinds))
	}
	return kinds
}
