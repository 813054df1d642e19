// Package demo runs the whole system on one machine: a school's hub, two
// terminals, and a simulated fingerprint module on a real pseudo-terminal for
// each, all as processes of their own.
//
// Run with Options.Script plays a canteen hour without a person and checks
// every step; without it a page lets a person press fingers, key PINs, refuse,
// withdraw, and watch what happens. Everything lies in a temporary folder that
// is removed at the end.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

// Options say what to demonstrate.
type Options struct {
	Fingers string // folder of images FINGER_IMPRESSION.ext to press; "" for synthetic fingers
	Pupils  int    // size of the school, 20 to 5,000
	Sensor  zfmsim.Model
	Paced   bool   // the wire takes the time that a real one does
	Script  bool   // play the canteen hour, check it, and end
	Listen  string // where the demo's page listens, host:port

	Out      io.Writer                          // what a person reads
	Progress func(what string, done, total int) // long work; may be nil
}

// Errors of a demonstration that ran but did not hold what it promises.
var ErrBroken = errors.New("the demonstration did not hold")

// ErrPupils marks a school of a size that cannot be demonstrated.
var ErrPupils = errors.New("choose 20 to 5000")

// Run demonstrates until ctx ends or the script does.
func Run(ctx context.Context, o Options) error {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Pupils < 20 || o.Pupils > 5000 {
		return fmt.Errorf("a school of %d pupils: %w", o.Pupils, ErrPupils)
	}
	dir, err := os.MkdirTemp("", "tillprint-demo-")
	if err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	defer os.RemoveAll(dir)
	w := &world{o: o, dir: dir, log: slog.New(slog.DiscardHandler)}
	defer w.close()
	if o.Script {
		return w.play(ctx)
	}
	return w.show(ctx)
}
