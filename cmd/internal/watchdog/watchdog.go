// Package watchdog tells systemd that a daemon is healthy, and only then: each
// of its long-running parts is asked again and again, and the watchdog is fed
// while all of them have answered since it was fed last. A part that hangs, in
// a lock, on the disk or in a loop, stops the feeding, and systemd starts the
// daemon anew.
package watchdog

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// rounds is how many times the parts are asked within the time that systemd
// grants: one slow answer is forgiven.
const rounds = 3

// Part is a part of a daemon that can say that it is alive. Answer returns nil
// once the part has answered; it may take its time, and need not heed ctx.
type Part struct {
	Name   string
	Answer func(ctx context.Context) error
}

// Run feeds systemd's watchdog until ctx ends. Where systemd has set none
// (WATCHDOG_USEC, sd_watchdog_enabled(3)) there is nothing to do.
func Run(ctx context.Context, log *slog.Logger, parts ...Part) error {
	grants, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd's watchdog could not be read from the environment; it is not fed", "err", err)
	}
	if grants == 0 {
		return nil
	}
	tick := time.NewTicker(grants / rounds)
	defer tick.Stop()
	feed(ctx, tick.C, log, parts, func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog) })
	return nil
}

// watched is a part and what it owes.
type watched struct {
	Part
	asked atomic.Bool // asked, and no answer yet
	err   error       // of the last answer; valid while asked is false
}

// feed asks at each tick, and calls fed at the next one if all have answered well.
func feed(ctx context.Context, tick <-chan time.Time, log *slog.Logger, parts []Part, fed func()) {
	all := make([]*watched, len(parts))
	for i, p := range parts {
		all[i] = &watched{Part: p}
		all[i].ask(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if silent := silent(all); len(silent) == 0 {
			fed()
		} else if ctx.Err() == nil {
			log.Error("not healthy: systemd's watchdog is not fed", "silent", strings.Join(silent, "; "))
		}
		for _, w := range all {
			w.ask(ctx)
		}
	}
}

// ask asks the part, unless it still owes an answer: one that hangs costs one
// goroutine, however long it hangs.
func (w *watched) ask(ctx context.Context) {
	if !w.asked.CompareAndSwap(false, true) {
		return
	}
	go func() {
		w.err = w.Answer(ctx)
		w.asked.Store(false)
	}()
}

func silent(all []*watched) (names []string) {
	for _, w := range all {
		switch {
		case w.asked.Load():
			names = append(names, w.Name+" does not answer")
		case w.err != nil:
			names = append(names, w.Name+": "+w.err.Error())
		}
	}
	return names
}
