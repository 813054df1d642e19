package terminald

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tillprint/tillprint/deploy/test/chrome"
)

// A technician goes from the operator's page to theirs, tries the parts, types a wrong name and then the right one, and has the
// certificate, in a real browser; the terminal's sensor is absent.
func TestTechnicianInTheBrowser(t *testing.T) {
	ctx := chrome.Open(t, 2*time.Minute)
	c, _, _ := filled(t)
	c.Page.Listen = free(t)
	v := visiting(t, c)
	v.lamp("Hub", "in contact")
	v.lamp("Self-test", "look at")
	complaints, axe := chrome.Complaints(t, ctx), chrome.LoadAxe(t)
	step := func(name string, actions ...chrome.Act) {
		t.Helper()
		limit, stop := context.WithTimeout(ctx, 40*time.Second)
		defer stop()
		if err := chromedp.Do(limit, actions...); err != nil {
			html, _ := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("body")))
			t.Fatalf("%s: %v\n%s", name, err, html)
		}
	}
	press := func(selector string) chrome.Act {
		return chrome.Until(`(() => { const b = document.querySelector("` + selector + `"); if (b) b.click(); return b !== null })()`)
	}
	step("the way there", chromedp.Navigate("http://"+c.Page.Listen+"/"), axe.Passes("operator"), press("#technician"), chrome.Has("Terminal till-1 of site oakfield"), chrome.Has("all hold"))
	step("the page", press("details summary"), axe.Passes("technician"))
	step("look again", press("[hx-get]"), chrome.Has("Terminal till-1"))
	old := chrome.Until(`(document.getElementById("try").dataset.old = "yes") === "yes"`) // the stream puts another in its place
	step("the test", old, press("#try"), chrome.Until(`document.querySelector("#test #try:not([data-old])") !== null && document.querySelectorAll("#try").length === 1`), chrome.Has("Tried "), chrome.Has("for a small record"), axe.Passes("tested"))
	step("another name", chrome.Until(`(() => { document.getElementById("terminal").value = "till-9"; return true })()`), press(".grave"), chrome.Has("not this terminal's name; nothing was done"))
	for _, c := range complaints() {
		if !strings.Contains(c, "409") { // the browser tells of that one itself
			t.Errorf("the browser complains: %s", c)
		}
	}
	step("its own name", chrome.Until(`(() => { document.getElementById("terminal").value = "till-1"; return true })()`), press(".grave"),
		chrome.Has("This terminal has been decommissioned"), chrome.Has("Tillprint decommissioning certificate 1"), chrome.Has("its own memory could not be looked at"), axe.Passes("ended"))
}
