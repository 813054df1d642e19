package hub

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/deploy/test/chrome"
	"github.com/tillprint/tillprint/sync/register"
)

// desk is an officer's browser, a real one, logged in to the hub.
type desk struct {
	t          *testing.T
	ctx        context.Context
	address    string
	complaints func() []string
	axe        chrome.Axe
}

// newDesk opens chromium, or skips the test in words when there is none. The hub's own certificate is accepted: its key is
// what a browser at a school is told to trust.
func newDesk(t *testing.T, h *Hub, officer string) *desk {
	t.Helper()
	ctx := chrome.Open(t, 2*time.Minute, chrome.AnyCertificate)
	if err := h.AddOfficer(t.Context(), "oakfield", officer, "correct horse 9"); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ctx: ctx, address: serve(t, h.Office(), h).URL, complaints: chrome.Complaints(t, ctx), axe: chrome.LoadAxe(t)}
	d.step("log in", d.open("/office/people"), chrome.Until(`document.querySelector("input[name=password]") !== null`), d.axe.Passes("the login"),
		chromedp.SendKeys(chromedp.CSS("input[name=site]"), "oakfield"), chromedp.SendKeys(chromedp.CSS("input[name=name]"), officer),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), "correct horse 9\r"), on("People"))
	return d
}

func (d *desk) step(name string, actions ...chrome.Act) {
	d.t.Helper()
	limit, stop := context.WithTimeout(d.ctx, 30*time.Second)
	defer stop()
	if err := chromedp.Do(limit, actions...); err != nil {
		html, _ := chromedp.Run(d.ctx, chromedp.OuterHTML(chromedp.CSS("body")))
		d.t.Fatalf("%s: %v\n%s", name, err, html)
	}
	if dir := os.Getenv("TILLPRINT_SCREENSHOTS"); dir != "" { // a folder: one picture of each step
		if err := chromedp.Do(d.ctx, chrome.Picture(fmt.Sprintf("%s/office-%s.png", dir, strings.ReplaceAll(name, " ", "-")))); err != nil {
			d.t.Error(err)
		}
	}
}

func (d *desk) open(path string) chrome.Act { return chromedp.Navigate(d.address + path) }

func (d *desk) wantNoComplaints() {
	d.t.Helper()
	if found := d.complaints(); len(found) > 0 {
		d.t.Errorf("the browser complains: %s", strings.Join(found, "\n"))
	}
}

// on waits until the page with this heading is there.
func on(title string) chrome.Act {
	return chrome.Until(fmt.Sprintf(`document.readyState === "complete" && document.querySelector("h1")?.innerText === %q`, title))
}

// press presses the one button with these words and waits for the page that follows.
func press(words string) chrome.Act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		n, err := chromedp.Evaluate[int](fmt.Sprintf(`(() => { const all = [...document.querySelectorAll("main button")].filter(b => b.innerText.includes(%q));
			if (all.length === 1) { window.pressed = true; all[0].click() } return all.length })()`, words))(ctx, t)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d buttons say %q", n, words)
		}
		if err != nil {
			return err
		}
		_, err = chrome.Until(`window.pressed === undefined && document.readyState === "complete"`)(ctx, t)
		return err
	})
}

// fill puts text into the one field of this name in the form that posts there.
func fill(action, name, text string) chrome.Act {
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
	state := func(want consent.Decision) chrome.Act {
		return chrome.Until(fmt.Sprintf(`document.querySelector("#standing .state")?.innerText === %q`, want))
	}
	stands := func(want consent.Decision) {
		t.Helper()
		if s := standingOf(t, h, id); s.Decision != want {
			t.Errorf("the page says %v, the hub %v", want, s.Decision)
		}
	}
	smith.step("person", chromedp.Click(chromedp.CSS(`a[href="/office/people/`+string(id)+`"]`)), on("Ada Byron"), state(consent.Permit))
	smith.step("restrict", press("Restrict: something is disputed"), state(consent.Pause), chrome.Has("Lift the restriction"), chrome.Has("(F5)"))
	stands(consent.Pause)
	smith.step("lift", press("Lift the restriction"), state(consent.Permit))
	smith.step("hold", press("Hold for a legal claim"), state(consent.Pause), chrome.Has("(G12)"))
	smith.step("withdrawal while held", press("Parent One withdraws by word of mouth"), state(consent.Pause))
	smith.step("release", press("End the hold"), state(consent.Erase))
	stands(consent.Erase)
	smith.step("rectify", fill("/correct", "name", "Ada Lovelace"), fill("/correct", "form", "9A"), press("Correct"), on("Ada Lovelace"), chrome.Has("9A"))

	other := addPupil(t, h, "Noah Ng")
	smith.step("wrong finger", smith.open("/office/people/"+string(other)), on("Noah Ng"), press("Wipe these fingers"), on("Noah Ng"), state(consent.Permit))
	if got := decisions(x.sync(0), other); len(got) != 3 || got[1] != consent.Erase || got[2] != consent.Permit {
		t.Errorf("F4: the terminals are told %v", got)
	}

	key := ageKey(t)
	smith.step("request", smith.open("/office/people/"+string(id)), on("Ada Lovelace"), fill("/exports", "requester", "the pupil"), fill("/exports", "identity", "known"),
		fill("/exports", "recipient", key.Recipient().String()), press("Enter the request"), on("Requests for access"), chrome.Has("a second person has to"))
	c.move(time.Minute)
	jones := newDesk(t, h, "jones")
	jones.step("confirm", jones.open("/office/exports"), chrome.Has("the pupil"), press("Confirm"), chrome.Has("jones"), chrome.Has("Fetch"))
	list, err := h.Exports(t.Context(), "oakfield", id)
	if err != nil || len(list) != 1 || list[0].ConfirmedBy != "jones" {
		t.Errorf("G13: %+v %v", list, err)
	}
	smith.step("history", smith.open("/office/people/"+string(id)+"/history"), chrome.Has("restricted the processing (F5)"), chrome.Has("to be told (G11)"), chrome.Has("held for a claim (G12)"), chrome.Has("confirmed an export"))
	smith.step("held", smith.open("/office/terminals"), chrome.Has("till-1"), chromedp.Click(chromedp.CSS(`a[href="/office/terminals/till-1/held"]`)), on("What till-1 held"),
		chrome.Has("fingerprint templates"), chrome.Has("XChaCha20-Poly1305"), smith.axe.Passes("what it held"),
		smith.open("/office/terminals/till-1/commission"), chrome.Has("Mode now"), smith.axe.Passes("commissioning"))
	smith.step("disposed", smith.open("/office/terminals"), fill("/disposed", "certificate", x.certificate()), press("Take the certificate"), on("What till-1 held"), chrome.Has("nothing is on it any more"))

	ids := append(addPupils(t, h, 14), other)
	takeRoster(t, h, ids[14:])
	smith.step("asked", smith.open("/office/people"), chrome.Has("erasures wait for an answer"), chromedp.Click(chromedp.CSS(`a[href="/office/waiting"]`)), on("Erasures that wait"), chrome.Has("Pupil 03"))
	smith.step("who waits", smith.open("/office/people/"+string(ids[3])), on("Pupil 03"), chrome.Has("the office is asked first"), chrome.Has("(H1)"), smith.open("/office/waiting"))
	smith.step("taken back", press("take it back"), chrome.Has("No erasure waits"))
	wantTally(t, h, ids, "taken back", 15, 0, 0)
	for _, path := range []string{"people", "people?q=a", "people/" + string(id), "people/" + string(id) + "/history", "terminals", "receipts", "exports",
		"waiting", "school", "profile"} {
		smith.step("look at "+strings.ReplaceAll(path, "/", " "), smith.open("/office/"+path), chrome.Until(`document.querySelector("h1") !== null`), smith.axe.Passes("/office/"+path))
	}
	smith.step("school", smith.open("/office/school"), on("School"), chrome.Has("England and Wales"), chrome.Has("unmatched at once, erased when the office confirms or after 4 days"))
	smith.wantNoComplaints()
	jones.wantNoComplaints()
}

// The school's profile is changed in a form: what cannot be comes back with the reason and what was entered, what somebody else has changed
// meanwhile is not taken back, and nothing that has no field is lost.
func TestTheProfileInABrowser(t *testing.T) {
	h, _ := newHub(t)
	smith := newDesk(t, h, "smith")
	now := func() consent.Profile {
		t.Helper()
		s, err := h.Site(t.Context(), "oakfield")
		if err != nil {
			t.Fatal(err)
		}
		return s.Profile
	}
	want := now()
	smith.step("open", smith.open("/office/school"), on("School"), chromedp.Click(chromedp.CSS(`a[href="/office/profile"]`)), on("School profile"))
	smith.step("as it is", press("Change the profile"), on("School"))
	want.PINDigits, want.Nation = 6, consent.EnglandWales // said, where they were only understood
	if diff := cmp.Diff(want, now()); diff != "" {
		t.Errorf("a form that was only sent back has changed (-want +got):\n%s", diff)
	}
	smith.step("what cannot be", smith.open("/office/profile"), fill("/profile", "own_consent_age", "14"), fill("/profile", "silent_days", "21"), press("Change the profile"),
		on("School profile"), chrome.Has("no pupil under 18 can consent"), chrome.Until(`document.querySelector("[name=silent_days]").value === "21"`), smith.axe.Passes("a profile that cannot be"))
	if diff := cmp.Diff(want, now()); diff != "" {
		t.Errorf("a refused form has changed (-want +got):\n%s", diff)
	}
	smith.step("what can", fill("/profile", "nation", "scotland"), fill("/profile", "notices", "2026-2\n\n 2027-1 \n"), fill("/profile", "mass_percent", "25"), press("Change the profile"),
		on("School"), chrome.Has("pupils consent themselves from 14 years on"), chrome.Has("2026-2, 2027-1"), chrome.Has("25 %"))
	want.Nation, want.OwnConsentAge, want.SilentDays, want.Notices, want.MassPercent = consent.Scotland, 14, 21, []string{"2026-2", "2027-1"}, 25
	if diff := cmp.Diff(want, now()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	smith.step("open again", smith.open("/office/profile"), on("School profile"))
	want.UnusedDays = 99
	if err := h.SetProfile(t.Context(), "oakfield", "jones", want); err != nil {
		t.Fatal(err)
	}
	smith.step("too late", fill("/profile", "grace_days", "1"), press("Change the profile"), on("School profile"), chrome.Has("somebody has changed the profile"))
	if diff := cmp.Diff(want, now()); diff != "" {
		t.Errorf("a stale form has changed (-want +got):\n%s", diff)
	}
	smith.step("off", smith.open("/office/profile"), chromedp.Click(chromedp.CSS("[name=biometrics]")), press("Change the profile"), on("School"), chrome.Has("off: nothing biometric"))
	if now().Biometrics {
		t.Error("still on")
	}
}
