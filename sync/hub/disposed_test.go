package hub

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/disposal"
	"github.com/tillprint/tillprint/sync/register"
)

// certificate is what a terminal signs when it ends.
func (x *terminal) certificate() string {
	x.t.Helper()
	c := disposal.Certificate{Identity: store.Identity{Site: x.site, Terminal: x.name}, At: start, Keys: "destroyed", Promise: "none"}
	text, err := c.Sign(x.sign)
	if err != nil {
		x.t.Fatal(err)
	}
	return text
}

// L1, L2, J3: a terminal that is no more tells the hub itself, and is removed; its certificate is kept, once, and the inventory says so.
func TestADecommissionedTerminalTellsTheHub(t *testing.T) {
	h, _ := newHub(t)
	s := serve(t, h.Handler(), h)
	one, two := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	send := func(x *terminal, body string) register.Accepted {
		t.Helper()
		var answer register.Accepted
		x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{{ID: "decommissioned", Kind: register.ReportDecommissioned, At: start, Body: body}}}, &answer)
		return answer
	}
	for what, body := range map[string]string{"nothing": "", "another's": two.certificate(), "a changed one": strings.Replace(one.certificate(), "destroyed\n", "destroyed well\n", 1)} {
		if a := send(one, body); len(a.Refused) != 1 || len(a.Done) != 0 {
			t.Errorf("%s was taken: %+v", what, a)
		}
	}
	if a := send(one, one.certificate()); len(a.Done) != 1 {
		t.Fatalf("the certificate: %+v", a)
	}
	if status, _ := one.raw("GET", "/v1/register?after=0&wait=0", nil, true); status != http.StatusForbidden {
		t.Errorf("a terminal that is no more is answered: %d", status)
	}
	e, err := h.Evidence(t.Context(), "oakfield", "till-1", start)
	if err != nil || !e.Removed || e.Disposed == nil || !e.Disposed.At.Equal(start) || e.Disposed.Certificate != one.certificate() {
		t.Errorf("the inventory: %+v %v", e, err)
	}
	if e, err := h.Evidence(t.Context(), "oakfield", "till-2", start); err != nil || e.Removed || e.Disposed != nil {
		t.Errorf("the other terminal: %+v %v", e, err)
	}
}

// A certificate that was carried to the hub, on the page: with the line ends that browsers send.
func TestACertificateIsCarriedToTheHub(t *testing.T) {
	h, _ := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	b := officeOf(t, h)
	b.login()
	for what, text := range map[string]string{"nonsense": "nonsense", "a changed one": strings.Replace(x.certificate(), "Epoch", "epoch", 1) + "x"} {
		if _, err := h.Dispose(t.Context(), "oakfield", "office", text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	pasted := strings.ReplaceAll(x.certificate(), "\n", "\r\n")
	if status, page := b.post("/office/terminals/disposed", url.Values{"certificate": {pasted}}); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, page)
	}
	if _, page := b.get("/office/terminals/till-1/held"); !strings.Contains(page, "nothing is on it any more") {
		t.Errorf("the page of what it held:\n%s", page)
	}
	b.api("POST", "/disposed", map[string]string{"certificate": x.certificate()}, http.StatusOK, nil)
}
