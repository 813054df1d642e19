package web

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// act is one step in the browser.
type act = chromedp.Action[chromedp.Void]

var keys = map[string]string{"F1": kb.F1, "F2": kb.F2, "F3": kb.F3, "F4": kb.F4, "F8": kb.F8, "F9": kb.F9, "Enter": kb.Enter, "Escape": kb.Escape}

// keystroke presses a key of the keyboard, wherever the focus is.
func keystroke(name string) act {
	if k, ok := keys[name]; ok {
		name = k
	}
	return chromedp.KeyEvent(name)
}

// until waits for an expression of the page to become true. It asks from
// outside, since the pages' own policy forbids scripts from strings.
func until(expression string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for {
			if yes, err := chromedp.Evaluate[bool](expression)(ctx, t); err != nil || yes {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

// picture writes a screenshot.
func picture(path string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		png, err := chromedp.CaptureScreenshot()(ctx, t)
		if err != nil {
			return err
		}
		return os.WriteFile(path, png, 0o644)
	})
}

// complaints gathers what the browser has to say against the pages: scripts
// that fail, what the content policy stopped, files that are missing.
func complaints(t *testing.T, ctx context.Context) func() []string {
	var mu sync.Mutex
	var found []string
	note := func(s string) { mu.Lock(); defer mu.Unlock(); found = append(found, s) }
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			note(e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				note(e.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return found }
}
