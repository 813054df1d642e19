package boot_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/synth"
)

// till is the operator's page on the school's network: QEMU gives every guest this address.
const till = "https://10.0.2.15:8443"

// browser is the till PC's, which shows the certificate that the school has given it, and trusts the school's authority only.
func browser(trusted *tls.Config, address func() string) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trusted, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address())
	}}}
}

// sees is what the operator sees now; empty while nobody answers.
func (g *guest) sees() string { return g.fetch(g.browser, till) }

// fetch reads a page; it is empty while nobody answers.
func (g *guest) fetch(by *http.Client, page string) string {
	ctx, stop := context.WithTimeout(g.t.Context(), 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	must(g.t, err)
	answer, err := by.Do(r)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// do presses one of the operator's buttons.
func (g *guest) do(action string, form url.Values) {
	g.t.Helper()
	ctx, stop := context.WithTimeout(g.t.Context(), time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, till+"/do/"+action, strings.NewReader(form.Encode()))
	must(g.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := g.browser.Do(r)
	must(g.t, err)
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode >= 300 {
		g.t.Fatalf("pressing %s: %s: %s", action, answer.Status, text)
	}
}

// shows waits until the page matches one of the patterns, and returns which, and what its group has caught.
func (g *guest) shows(what string, patterns ...string) (which int, caught string) {
	g.t.Helper()
	var page string
	defer func() {
		if g.t.Failed() {
			g.t.Logf("the page showed\n%s", page)
		}
	}()
	g.until(what, func() bool {
		page = g.sees()
		for i, pattern := range patterns {
			if m := regexp.MustCompile(pattern).FindStringSubmatch(page); m != nil {
				which, caught = i, m[len(m)-1]
				return true
			}
		}
		return false
	})
	return which, caught
}

func state(name string) string { return `data-state="` + name + `"` }

// servesPINs waits until the terminal is up and commissioned for PINs at least; servesFingers until fingers are read too. Both
// return the time since power.
func (g *guest) servesPINs() time.Duration {
	g.t.Helper()
	g.until("an address from the network", func() bool { return g.said("DHCPv4 address") })
	g.shows("PINs to be served", `<b>Commissioned</b> <span>for (PINs|fingers)</span>`)
	return time.Since(g.on)
}

func (g *guest) servesFingers() time.Duration {
	g.t.Helper()
	g.shows("fingers to be served", `<b>Fingers</b> <span>on</span>`)
	return time.Since(g.on)
}

// press lays the pupil's finger on the glass, each time a little differently.
func (g *guest) press() {
	g.t.Helper()
	g.presses++
	image := g.finger.Impression(uint64(g.presses), synth.Conditions{Noise: 0.1, ShiftX: float64(g.presses % 3), Rotation: 0.02 * float64(g.presses%3)})
	defer image.Clear()
	seen := g.sim.Sensor().Press(image)
	defer seen.Clear()
	must(g.t, g.sim.Press(seen))
}

// lift takes the finger away and waits until the till has looked at the empty glass.
func (g *guest) lift() {
	g.t.Helper()
	g.sim.Lift()
	for len(g.sim.Events()) > 0 {
		<-g.sim.Events() // of looks before the glass was empty
	}
	g.until("a look at the empty glass", func() bool {
		for len(g.sim.Events()) > 0 {
			e := <-g.sim.Events()
			if e.Kind == zfmsim.Commanded && (e.Instruction == zfm.CaptureImage || e.Instruction == zfm.CaptureImageEx) {
				return true
			}
		}
		return false
	})
}

// enrol takes the pupil through an enrolment on the operator's page.
func (g *guest) enrol(pupil consent.SubjectID) {
	g.t.Helper()
	g.do("enrol", url.Values{"subject": {string(pupil)}})
	g.shows("the notice for the child", state("enrol-notice"))
	g.do("enrol-yes", nil)
	for n := range 3 {
		g.shows("a press to be asked for", fmt.Sprintf(`aria-label="%d of 3 presses`, n))
		g.lift()
		g.press()
		if which, _ := g.shows("the press to be taken", fmt.Sprintf(`aria-label="%d of 3 presses`, n+1), state("enrolled"), `class="advice">([^<]*)`); which == 2 {
			g.t.Fatal("the till does not take the press")
		}
	}
	g.sim.Lift()
	g.shows("the enrolment to be sealed", state("enrolled"))
	g.do("clear", nil)
}

// recognised reports whether a press finds the pupil, who is then served.
func (g *guest) recognised() bool {
	g.t.Helper()
	g.do("clear", nil)
	g.shows("the till to be clear", state("idle"))
	g.press()
	defer g.sim.Lift()
	g.do("finger", nil)
	which, id := g.shows("a decision", `(?s)id="confirm".*?"id":"([^"]+)"`, `(?s)id="confirm".*?&#34;id&#34;:&#34;([^&]+)`, state("try-again"), state("fingers-off"))
	if which > 1 {
		return false
	}
	g.do("confirm", url.Values{"id": {id}})
	g.shows("the pupil to be served", state("served"))
	return true
}
