package terminald

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// A run of the daemon is one start and one stop in the log, and a command that opens the store says which it is.
func TestI5OneStartAndOneStopForEachRun(t *testing.T) {
	_, c := joined(t)
	ctx, stop := context.WithCancel(t.Context())
	hooks := Hooks{Ready: func(*Terminal) error { stop(); return nil }}
	if err := Run(ctx, c, slog.New(slog.DiscardHandler), hooks); err != nil {
		t.Fatal(err)
	}
	if _, err := Doctor(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := RunSelfTest(t.Context(), c, false, nil); err != nil {
		t.Fatal(err)
	}
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var got []string
	err = st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Start || e.Kind == audit.Stop {
			got = append(got, string(e.Kind)+" "+e.Action)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"start create/join", "stop close/join", "start open", "stop close", "start open/doctor", "stop close/doctor",
		"start open/selftest", "stop close/selftest", "start open"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("starts and stops (-want +got):\n%s", diff)
	}
}
