package hub

import (
	"context"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// A withdrawal typed beside the running hub, or at a second hub on the same database, reaches a terminal that waits at the first at once, not when its wait ends.
func TestAChangeElsewhereWakesWhoWaits(t *testing.T) {
	here, clock := newHub(t)
	elsewhere := openHub(t, here.config.Dir, clock)
	id := addPupil(t, here, "Ada Byron")
	terminal := joined(t, here, serve(t, here.Handler(), here), "oakfield", "till-1")
	terminal.sync(0)
	after := terminal.last.Size
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- here.Run(ctx) }()
	for _, said := range []func() (consent.Decision, error){
		func() (consent.Decision, error) {
			return elsewhere.Withdraw(t.Context(), "oakfield", "smith", id, "g_1", true)
		},
		func() (consent.Decision, error) { return elsewhere.Refuse(t.Context(), "oakfield", "smith", id) },
	} {
		heads, errs := make(chan uint64, 1), make(chan error, 1)
		go func() {
			patient, cancel := context.WithTimeout(ctx, time.Minute) // far less than the wait, so that only a wake can end it well
			defer cancel()
			head, err := here.waitForNews(patient, caller{site: "oakfield", terminal: "till-1"}, after, 100, time.Hour)
			heads <- head
			errs <- err
		}()
		for waits := false; !waits; time.Sleep(time.Millisecond) {
			here.wakes.mu.Lock()
			waits = here.wakes.sites["oakfield"] != nil
			here.wakes.mu.Unlock()
		}
		if _, err := said(); err != nil {
			t.Fatal(err)
		}
		head := <-heads
		if err := <-errs; err != nil || head <= after {
			t.Fatalf("after %d entries there are %d: %v", after, head, err)
		}
		after = head
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
