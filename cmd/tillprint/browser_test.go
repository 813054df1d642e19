package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tillprint/tillprint/deploy/test/chrome"
)

// TestDemoPage works the demo's page in a real browser as a visitor would:
// finger, PIN, name, cash, and a parent who withdraws at the hub. With
// TILLPRINT_SCREENSHOT it leaves a picture of the operator's page there.
func TestDemoPage(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo's page is too long for -short")
	}
	p := &page{T: t, ctx: chrome.Open(t, 4*time.Minute, chromedp.WindowSize(1400, 1000))}
	p.address = startDemo(t)
	p.open(p.address)
	p.until(`document.getElementById("crowd").innerText.includes("at both tills")`)
	p.until(inTill(`.getElementById("health").textContent.includes("Fingers on")`))
	if err := chromedp.Do(p.ctx, chrome.LoadAxe(t).Passes("the demo")); err != nil {
		t.Fatal(err)
	}
	amina, noah := p.card(0), p.card(1)

	p.servedByFinger(0, amina)
	p.click(`[data-do=lift]`)

	p.servedByPIN(amina.PIN, amina)

	p.clickIn(`[data-key="F3"]`)
	p.until(inTill(`.getElementById("q") !== null`))
	p.do(`(() => { const q = ` + till + `.getElementById("q"); q.value = ` + quoted(noah.Name) + `; q.dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
	p.until(inTill(`.querySelector(".found .who") !== null`))
	p.clickIn(`.found .who`)
	p.confirm(noah)

	p.clickIn(`[data-key="F4"]`)
	p.until(inState("served") + ` && ` + inTill(`.getElementById("desk").innerText.includes("Cash")`))
	p.clickIn(`[data-key="Escape"]`)

	before := p.gallery()
	p.click(`[data-do=withdraw][data-who="0"]`)
	p.until(`document.getElementById("log").innerText.includes("Hub: a parent has withdrawn a consent")`)
	p.findsNobody(0, amina, before)
	p.servedByPIN(amina.PIN, amina)
	p.servedByFinger(1, noah)

	p.screenshot(2)
}

// till is the operator's page inside the demo's.
const till = `document.getElementById("till").contentDocument`

// inTill asks something of the operator's page, which may be loading.
func inTill(question string) string {
	return `(` + till + ` !== null && ` + till + `.getElementById("desk") !== null && ` + till + question + `)`
}

func inState(state string) string {
	return inTill(`.querySelector('#desk [data-state="` + state + `"]') !== null`)
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // a string always can
	return string(b)
}

// page is the demo's page in the browser.
type page struct {
	*testing.T
	ctx     context.Context
	address string
	scans   int // presses that the page's log had told when it was last looked at
}

// card is a pupil of the queue.
type card struct{ Name, PIN string }

func (p *page) card(i int) card {
	p.Helper()
	what := func(of string) string {
		text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelectorAll(".glass li")[%d].querySelector(%q).innerText`, i, of)))
		if err != nil {
			p.Fatal(err)
		}
		return text
	}
	return card{what("strong"), what("code")}
}

func (p *page) open(address string) {
	p.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(address)); err != nil {
		p.Fatal(err)
	}
}

func (p *page) is(expression string) bool {
	p.Helper()
	yes, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return yes
}

func (p *page) do(expression string) { p.Helper(); p.is(expression) }

// until waits for an expression of the page to become true. It asks from
// outside, since the page's own policy forbids scripts from strings.
func (p *page) until(expression string) {
	p.Helper()
	if p.soon(expression, 40*time.Second) {
		return
	}
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText + "\n" + `+till+`.body.innerText`))
	p.Fatalf("never came true: %s\n%s%v", expression, text, err)
}

// soon reports whether an expression becomes true within that time.
func (p *page) soon(expression string, within time.Duration) bool {
	p.Helper()
	tick, limit := time.NewTicker(20*time.Millisecond), time.After(within)
	defer tick.Stop()
	for !p.is(expression) {
		select {
		case <-tick.C:
		case <-limit:
			return false
		}
	}
	return true
}

// click presses a button of the demo, clickIn one of the operator's page.
func (p *page) click(selector string) {
	p.Helper()
	p.do(`(document.querySelector(` + quoted(selector) + `).click(), true)`)
}

func (p *page) clickIn(selector string) {
	p.Helper()
	p.do(`(` + till + `.querySelector(` + quoted(selector) + `).click(), true)`)
}

// proposed says in the page's words that this pupil is.
func proposed(c card) string {
	return inState("proposed") + ` && ` + inTill(`.getElementById("desk").innerText.includes(`+quoted(c.Name)+`)`)
}

func (p *page) confirm(c card) {
	p.Helper()
	p.until(proposed(c))
	p.clickIn("#confirm")
	p.until(inState("served"))
	p.clickIn(`[data-key="Escape"]`)
	p.until(inState("idle"))
}

// press lays pupil i's finger on the glass and returns the log's line about it.
func (p *page) press(i int) string {
	p.Helper()
	p.click(`[data-do=lift]`)
	p.until(inState("idle"))
	scanned := `[...document.querySelectorAll("#log li")].filter((l) => l.innerText.includes("templates)"))`
	for tries := 0; ; tries++ { // a till too busy to see the glass empty takes the next press for the last
		p.click(fmt.Sprintf(`[data-do=press][data-who="%d"]`, i))
		if p.soon(fmt.Sprintf(`%s.length > %d`, scanned, p.scans), 15*time.Second) {
			break
		}
		if tries == 3 {
			p.Fatal("the till does not see a finger that is pressed again and again")
		}
	}
	p.scans++
	line, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](scanned+`[0].innerText`))
	if err != nil {
		p.Fatal(err)
	}
	return line
}

// servedByFinger presses until the pupil is found, since not every press of a
// finger is a good one, and serves them.
func (p *page) servedByFinger(i int, c card) {
	p.Helper()
	for range 5 {
		p.Log(p.press(i))
		p.until(inState("proposed") + ` || ` + inState("try-again"))
		if p.is(proposed(c)) {
			p.confirm(c)
			return
		}
		p.clickIn(`[data-key="Escape"]`)
	}
	p.Fatalf("five presses of a finger that is enrolled, and none was found")
}

func (p *page) servedByPIN(pin string, c card) {
	p.Helper()
	p.clickIn(`[data-key="F2"]`)
	p.until(inTill(`.getElementById("key-1") !== null`))
	for n, digit := range pin {
		p.clickIn("#key-" + string(digit))
		p.until(inTill(fmt.Sprintf(`.querySelectorAll(".dots i.on").length === %d`, n+1)) + ` || !` + inState("keying"))
	}
	p.confirm(c)
}

var ofTemplates = regexp.MustCompile(`(\d+) templates\)`)

// gallery is how many templates the last press was searched in.
func (p *page) gallery() (n int) {
	p.Helper()
	line, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("#log li")].find((l) => l.innerText.includes("templates)")).innerText`))
	if err != nil {
		p.Fatal(err)
	}
	if m := ofTemplates.FindStringSubmatch(line); m == nil {
		p.Fatalf("no number of templates in %q", line)
	} else {
		fmt.Sscan(m[1], &n)
	}
	return n
}

// findsNobody presses a withdrawn finger until the till searches fewer
// templates than before, which must be soon, and then twice more.
func (p *page) findsNobody(i int, c card, before int) {
	p.Helper()
	for after := 0; after < 3; {
		p.Log(p.press(i))
		p.until(inState("proposed") + ` || ` + inState("try-again"))
		if p.gallery() < before {
			after++
			if p.is(inState("proposed")) {
				p.Error("the finger still finds somebody")
			}
		}
		p.clickIn(`[data-key="Escape"]`)
	}
	if n := before - p.gallery(); n != 3 {
		p.Errorf("%d templates are gone, not the three that were enrolled", n)
	}
}

// screenshot takes the operator's page by itself, with pupil i proposed.
func (p *page) screenshot(i int) {
	p.Helper()
	path := os.Getenv("TILLPRINT_SCREENSHOT")
	if path == "" {
		return
	}
	c := p.card(i)
	p.open(p.address + "till/")
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(1024, 768)); err != nil {
		p.Fatal(err)
	}
	p.until(`document.querySelector('#desk [data-state="idle"]') !== null`)
	for range 5 {
		for _, action := range []string{"lift", "press"} {
			answer, err := http.PostForm(p.address+"demo/"+action, url.Values{"till": {"0"}, "who": {fmt.Sprint(i)}})
			if err != nil {
				p.Fatal(err)
			}
			answer.Body.Close()
		}
		p.until(`document.querySelector('#desk [data-state="proposed"], #desk [data-state="try-again"]') !== null`)
		if p.is(`document.body.innerText.includes(` + quoted(c.Name) + `)`) {
			break
		}
		p.do(`(document.querySelector('[data-key="Escape"]').click(), true)`)
		p.until(`document.querySelector('#desk [data-state="idle"]') !== null`)
	}
	if err := chromedp.Do(p.ctx, chrome.Picture(path)); err != nil {
		p.Fatal(err)
	}
}

// startDemo runs the demo for a visitor and returns its page's address.
func startDemo(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("tillprint", "demo", "--pupils", "40", "--wire", "instant", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
		if err := cmd.Wait(); t.Failed() {
			t.Logf("the demo: %v\n%s", err, said.String())
		}
	})
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the demo says nothing: %v", err)
	}
	address := regexp.MustCompile(`http://\S+/`).FindString(first)
	if address == "" {
		t.Fatalf("the first line has no address: %s", first)
	}
	return address
}
