// Package chrome drives a real Chromium through the pages that tests serve, hears what it has to say against them, and lets axe-core look
// whether somebody who cannot see them, or uses no mouse, can work with them.
package chrome

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Act is one step in the browser.
type Act = chromedp.Action[chromedp.Void]

// Open starts a browser for a test, which may use it for so long, or skips the test in words when there is none, or where
// TILLPRINT_BROWSER does not ask for it: a browser takes more time than all other tests together.
func Open(t testing.TB, limit time.Duration, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if os.Getenv("TILLPRINT_BROWSER") == "" {
		t.Skip("the pages are tried in a browser with TILLPRINT_BROWSER=1, as in make unit")
	}
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium here: the pages are not tried in a browser (apt-get install chromium)")
	}
	options := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless,
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1024, 768), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true)}, more...)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, limit)
	t.Cleanup(stop)
	return ctx
}

// AnyCertificate lets the browser take the hub's own certificate: its key is what a browser at a school is told to trust.
var AnyCertificate = chromedp.Flag("ignore-certificate-errors", true)

// Complaints gathers what the browser has to say against the pages: scripts that fail, what the content policy stopped, files that are
// missing.
func Complaints(t testing.TB, ctx context.Context) func() []string {
	t.Helper()
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

// Until waits for an expression of the page to become true. It asks from outside, since the pages' own policy forbids scripts from
// strings; an error is a page that is being left.
func Until(expression string) Act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for {
			if yes, err := chromedp.Evaluate[bool](expression)(ctx, t); err == nil && yes {
				return nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s: %w", expression, ctx.Err())
			}
		}
	})
}

// Has waits for words on the page.
func Has(words string) Act { return Until(fmt.Sprintf(`document.body.innerText.includes(%q)`, words)) }

// Picture writes a screenshot.
func Picture(path string) Act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		png, err := chromedp.CaptureScreenshot()(ctx, t)
		if err != nil {
			return err
		}
		return os.WriteFile(path, png, 0o644)
	})
}
