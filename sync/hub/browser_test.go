package hub

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// act is one step in the browser.
type act = chromedp.Action[chromedp.Void]

// desk is an officer's browser, a real one, logged in to the hub.
type desk struct {
	t       *testing.T
	ctx     context.Context
	address string
	mu      sync.Mutex
	wrong   []string // what the browser has to say against the pages
}

// newDesk opens chromium, or skips the test in words when there is none. The hub's own certificate is accepted: its key is
// what a browser at a school is told to trust.
func newDesk(t *testing.T, h *Hub, officer string) *desk {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium here: the office's pages are not tried in a browser (apt-get install chromium)")
	}
	if err := h.AddOfficer(t.Context(), "oakfield", officer, "correct horse 9"); err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1024, 768), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("ignore-certificate-errors", true)}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	d := &desk{t: t, ctx: ctx, address: serve(t, h.Office(), h).URL}
	d.listen()
	d.step("log in", d.open("/office/people"), until(`document.querySelector("input[name=password]") !== null`),
		chromedp.SendKeys(chromedp.CSS("input[name=site]"), "oakfield"), chromedp.SendKeys(chromedp.CSS("input[name=name]"), officer),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), "correct horse 9\r"), on("People"))
	return d
}

// listen gathers scripts that fail, what the content policy stopped, and files that are missing.
func (d *desk) listen() {
	note := func(s string) { d.mu.Lock(); defer d.mu.Unlock(); d.wrong = append(d.wrong, s) }
	err := chromedp.Listen(d.ctx, func(event any) {
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
		d.t.Fatal(err)
	}
}

func (d *desk) step(name string, actions ...act) {
	d.t.Helper()
	limit, stop := context.WithTimeout(d.ctx, 30*time.Second)
	defer stop()
	if err := chromedp.Do(limit, actions...); err != nil {
		html, _ := chromedp.Run(d.ctx, chromedp.OuterHTML(chromedp.CSS("body")))
		d.t.Fatalf("%s: %v\n%s", name, err, html)
	}
	if dir := os.Getenv("TILLPRINT_SCREENSHOTS"); dir != "" { // a folder: one picture of each step
		png, err := chromedp.Run(d.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(fmt.Sprintf("%s/office-%s.png", dir, strings.ReplaceAll(name, " ", "-")), png, 0o644)
		}
		if err != nil {
			d.t.Error(err)
		}
	}
}

func (d *desk) open(path string) act { return chromedp.Navigate(d.address + path) }

func (d *desk) wantNoComplaints() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.wrong) > 0 {
		d.t.Errorf("the browser complains: %s", strings.Join(d.wrong, "\n"))
	}
}

// until waits for an expression of the page to become true. It asks from
// outside, since the pages' own policy forbids scripts from strings.
func until(expression string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for {
			if yes, err := chromedp.Evaluate[bool](expression)(ctx, t); err == nil && yes {
				return nil // an error is a page that is being left
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s: %w", expression, ctx.Err())
			}
		}
	})
}

// on waits until the page with this heading is there.
func on(title string) act {
	return until(fmt.Sprintf(`document.readyState === "complete" && document.querySelector("h1")?.innerText === %q`, title))
}

func has(words string) act { return until(fmt.Sprintf(`document.body.innerText.includes(%q)`, words)) }

// press presses the one button with these words and waits for the page that follows.
func press(words string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		n, err := chromedp.Evaluate[int](fmt.Sprintf(`(() => { const all = [...document.querySelectorAll("main button")].filter(b => b.innerText.includes(%q));
			if (all.length === 1) { window.pressed = true; all[0].click() } return all.length })()`, words))(ctx, t)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d buttons say %q", n, words)
		}
		if err != nil {
			return err
		}
		_, err = until(`window.pressed === undefined && document.readyState === "complete"`)(ctx, t)
		return err
	})
}

// fill puts text into the one field of this name in the form that posts there.
func fill(action, name, text string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		n, err := chromedp.Evaluate[int](fmt.Sprintf(`(() => { const all = document.querySelectorAll('main form[action$="%s"] [name=%s]');
			if (all.length === 1) all[0].value = %q; return all.length })()`, action, name, text))(ctx, t)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d fields are called %s", n, name)
		}
		return err
	})
}

// Rights on the office's pages, in a browser: restriction and hold (F5, G11, G12), rectification and a finger of the wrong person (F4, G7), a request for
// access by two officers with its file (G1, G13), history (F6), what a terminal held (J3), an erasure that waits (H1).
func TestTheOfficeInABrowser(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	x.ask("POST", "/v1/status", register.Status{Applied: x.last.Size, Version: "test", At: c.now(), Pupils: 1, Templates: 4, Subjects: 1, Cipher: "XChaCha20-Poly1305"}, nil)
	smith := newDesk(t, h, "smith")
	state := func(want consent.Decision) act {
		return until(fmt.Sprintf(`document.querySelector("#standing .state")?.innerText === %q`, want))
	}
	stands := func(want consent.Decision) {
		t.Helper()
		if s := standingOf(t, h, id); s.Decision != want {
			t.Errorf("the page says %v, the hub %v", want, s.Decision)
		}
	}
	smith.step("person", chromedp.Click(chromedp.CSS(`a[href="/office/people/`+string(id)+`"]`)), on("Ada Byron"), state(consent.Permit))
	smith.step("restrict", press("Restrict: something is disputed"), state(consent.Pause), has("Lift the restriction"), has("(F5)"))
	stands(consent.Pause)
	smith.step("lift", press("Lift the restriction"), state(consent.Permit))
	smith.step("hold", press("Hold for a legal claim"), state(consent.Pause), has("(G12)"))
	smith.step("withdrawal while held", press("Parent One withdraws by word of mouth"), state(consent.Pause))
	smith.step("release", press("End the hold"), state(consent.Erase))
	stands(consent.Erase)
	smith.step("rectify", fill("/correct", "name", "Ada Lovelace"), fill("/correct", "form", "9A"), press("Correct"), on("Ada Lovelace"), has("9A"))

	other := addPupil(t, h, "Noah Ng")
	smith.step("wrong finger", smith.open("/office/people/"+string(other)), on("Noah Ng"), press("Wipe these fingers"), on("Noah Ng"), state(consent.Permit))
	if got := decisions(x.sync(0), other); len(got) != 3 || got[1] != consent.Erase || got[2] != consent.Permit {
		t.Errorf("F4: the terminals are told %v", got)
	}

	key := ageKey(t)
	smith.step("request", smith.open("/office/people/"+string(id)), on("Ada Lovelace"), fill("/exports", "requester", "the pupil"), fill("/exports", "identity", "known"),
		fill("/exports", "recipient", key.Recipient().String()), press("Enter the request"), on("Requests for access"), has("a second person has to"))
	c.move(time.Minute)
	jones := newDesk(t, h, "jones")
	jones.step("confirm", jones.open("/office/exports"), has("the pupil"), press("Confirm"), has("jones"), has("Fetch"))
	list, err := h.Exports(t.Context(), "oakfield", id)
	if err != nil || len(list) != 1 || list[0].ConfirmedBy != "jones" {
		t.Errorf("G13: %+v %v", list, err)
	}
	smith.step("history", smith.open("/office/people/"+string(id)+"/history"), has("restricted the processing (F5)"), has("to be told (G11)"), has("held for a claim (G12)"), has("confirmed an export"))
	smith.step("held", smith.open("/office/terminals"), has("till-1"), chromedp.Click(chromedp.CSS(`a[href="/office/terminals/till-1/held"]`)), on("What till-1 held"),
		has("fingerprint templates"), has("XChaCha20-Poly1305"))
	smith.step("disposed", smith.open("/office/terminals"), fill("/disposed", "certificate", x.certificate()), press("Take the certificate"), on("What till-1 held"), has("nothing is on it any more"))

	ids := append(addPupils(t, h, 14), other)
	takeRoster(t, h, ids[14:])
	smith.step("asked", smith.open("/office/people"), has("erasures wait for an answer"), chromedp.Click(chromedp.CSS(`a[href="/office/waiting"]`)), on("Erasures that wait"), has("Pupil 03"))
	smith.step("who waits", smith.open("/office/people/"+string(ids[3])), on("Pupil 03"), has("the office is asked first"), has("(H1)"), smith.open("/office/waiting"))
	smith.step("taken back", press("take it back"), has("No erasure waits"))
	wantTally(t, h, ids, "taken back", 15, 0, 0)
	smith.step("school", smith.open("/office/school"), on("School"), has("England and Wales"), has("unmatched at once, erased when the office confirms or after 4 days"))
	smith.wantNoComplaints()
	jones.wantNoComplaints()
}
