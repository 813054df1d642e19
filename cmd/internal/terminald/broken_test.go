package terminald

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// A broken invariant reaches the office, the log, the page and the metrics, once; so does its end (H17).
func TestH17ABrokenInvariantIsTold(t *testing.T) {
	h, c := joined(t)
	ctx, stop := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	hooks := Hooks{Ready: func(term *Terminal) error {
		defer stop()
		<-term.idle // the check at the start is over
		if n := brokenMetricOf(t, term); n != 0 || strings.Contains(lampsOf(term), "Check") {
			t.Errorf("nothing is broken, and the metric is %v, the lamps are %s", n, lampsOf(term))
		}
		if err := term.Gallery.Add("nobody", 2, synth.Template(1)); err != nil { // breaks I1, twice
			return err
		}
		term.check(log)
		term.check(log) // an hour later
		if n := brokenMetricOf(t, term); n != 2 || !strings.Contains(lampsOf(term), "Check bad found what must never be (I1)") {
			t.Errorf("the metric is %v, the lamps are %s", n, lampsOf(term))
		}
		term.Gallery.RemoveSubject("nobody")
		term.check(log)
		term.check(log)
		if n := brokenMetricOf(t, term); n != 0 || strings.Contains(lampsOf(term), "Check") {
			t.Errorf("it holds again, and the metric is %v, the lamps are %s", n, lampsOf(term))
		}
		wantLogged(t, term, "broken/I1", "holds-again/I1")
		return wantAlerts(ctx, t, h, term, "is not: I1: 1 subjects in the gallery", "so again: I1")
	}}
	if err := Run(ctx, c, log, hooks); err != nil {
		t.Fatal(err)
	}
}

func brokenMetricOf(t *testing.T, term *Terminal) float64 {
	families, err := term.figures().Gather()
	if err != nil {
		t.Error(err)
	}
	for _, f := range families {
		if f.GetName() == "tillprint_invariants_broken" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Error("there is no such metric")
	return -1
}

func lampsOf(term *Terminal) string {
	var all []string
	for _, l := range term.lamps() {
		all = append(all, l.Part+" "+l.Level.String()+" "+l.Words)
	}
	return strings.Join(all, "; ")
}

func wantLogged(t *testing.T, term *Terminal, want ...string) {
	var got []string
	if err := term.Store.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Fault {
			got = append(got, e.Action)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

// wantAlerts waits until everything has been sent and looks what the office has got.
func wantAlerts(ctx context.Context, t *testing.T, h *hub.Hub, term *Terminal, want ...string) error {
	for changed := term.Hub.Changed(); ; changed = term.Hub.Changed() {
		if items, err := term.Store.Pending(0); err != nil || len(items) == 0 {
			break
		}
		<-changed
	}
	alerts, err := h.Reports(ctx, "oakfield", register.ReportAlert, "", 10)
	if err != nil || len(alerts) != len(want) {
		t.Errorf("the office has got %+v, %v", alerts, err)
		return err
	}
	for _, part := range want {
		found := false
		for _, a := range alerts {
			found = found || strings.Contains(a.Body, part)
		}
		if !found {
			t.Errorf("no alert says %q: %+v", part, alerts)
		}
	}
	return nil
}
