package hub

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// The hub takes a step only in its order, and only with what it rests on (N1).
func TestN1StepsNeedTheirReferences(t *testing.T) {
	h, _ := newHub(t)
	justJoined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	change := func(mode register.Mode, of register.Evidence, f func(*register.Reference)) register.Commission {
		all := references(mode)
		for i := range all {
			if all[i].For == of {
				f(&all[i])
			}
		}
		return register.Commission{Mode: mode, References: all}
	}
	whole := func(mode register.Mode) register.Commission { return change(mode, "", nil) }
	tomorrow := consent.DateOf(start).AddDays(1)
	for _, step := range []struct {
		name     string
		terminal string
		c        register.Commission
		want     string // in the error; "" for none
	}{
		{"two steps at once", "till-1", whole(register.ModeFingers), "more than one step"},
		{"without references", "till-1", register.Commission{Mode: register.ModePIN}, `"basis"`},
		{"an approval to come", "till-1", change(register.ModePIN, register.Policy, func(r *register.Reference) { r.On = tomorrow }), "still to come"},
		{"another terminal", "till-9", whole(register.ModePIN), "there is no terminal"},
		{"no such mode", "till-1", register.Commission{Mode: "on"}, "no mode"},
		{"PINs", "till-1", whole(register.ModePIN), ""},
		{"a notice that does not count", "till-1", change(register.ModeFingers, register.ParentsNotice, func(r *register.Reference) { r.Text = "old" }), "none of the versions that count"},
		{"without an assessment", "till-1", change(register.ModeFingers, register.DPIA, func(r *register.Reference) { r.Text = "" }), `"dpia"`},
		{"fingers, the first step's references known", "till-1", register.Commission{Mode: register.ModeFingers, References: references(register.ModeFingers)[3:]}, ""},
		{"back to the beginning", "till-1", register.Commission{Mode: register.ModeOff}, ""},
	} {
		err := h.Commission(t.Context(), "oakfield", "jo", step.terminal, step.c)
		if step.want == "" && err != nil || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		}
	}
	commission(t, h, "oakfield", "till-1", register.ModePIN)
	none := permitting
	none.Biometrics = false
	if err := h.SetProfile(t.Context(), "oakfield", "jo", none); err != nil {
		t.Fatal(err)
	}
	if err := h.Commission(t.Context(), "oakfield", "jo", "till-1", whole(register.ModeFingers)); err == nil || !strings.Contains(err.Error(), "A16") {
		t.Errorf("fingers at a site that has none: %v", err)
	}
	if err := h.Command(t.Context(), "oakfield", "jo", "till-1", register.Command{Do: register.Commissioned, Commission: &register.Commission{Mode: register.ModeOff}}); err == nil {
		t.Error("a mode can be ordered past its steps")
	}
}

// A school that gives fingers up and begins again commissions its terminals again; a terminal that is let in again after it
// lost its keys keeps its commission.
func TestN1StepsBackAndOn(t *testing.T) {
	h, _ := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	mode := func(name string) register.Mode {
		t.Helper()
		all, err := h.Terminals(t.Context(), "oakfield")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.Terminal == name {
				return s.Mode
			}
		}
		return ""
	}
	r := &register.RejoinRequest{Site: "oakfield", Was: x.name, Name: "till-1-anew", Sign: x.sign.Public().(pub), Seal: x.public}
	r.Prove(x.sign)
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	x.raw("POST", "/v1/rejoin", body, false)
	if _, err := h.Readmit(t.Context(), "oakfield", "jo", r.Code()); err != nil {
		t.Fatal(err)
	}
	if m := mode("till-1-anew"); m != register.ModeFingers {
		t.Errorf("let in again: mode %q", m)
	}
	for _, on := range []bool{false, true} {
		p := permitting
		p.Biometrics = on
		if err := h.SetProfile(t.Context(), "oakfield", "jo", p); err != nil {
			t.Fatal(err)
		}
		if m := mode("till-1-anew"); m != register.ModePIN {
			t.Errorf("biometrics %v: mode %q", on, m)
		}
	}
}

// The page asks for what the next step needs, takes it, and shows what is on record.
func TestN1CommissioningPage(t *testing.T) {
	h, _ := newHub(t)
	s := serve(t, h.Handler(), h)
	joined(t, h, s, "oakfield", "till-1")
	justJoined(t, h, s, "oakfield", "till-2")
	b := officeOf(t, h)
	b.login()
	page := "/office/terminals/till-2/commission"
	_, text := b.get(page)
	if !strings.Contains(text, "off: cash only") || !strings.Contains(text, `name="basis-text" value="test basis"`) || strings.Contains(text, "dpia-text") {
		t.Errorf("the page in mode off:\n%s", text)
	}
	form := url.Values{"mode": {"pin"}}
	for _, need := range register.ModePIN.Needs() {
		form.Set(string(need)+"-text", "file 12")
		form.Set(string(need)+"-on", "2026-09-01")
		form.Set(string(need)+"-by", "governors")
	}
	form.Set("policy-on", "soon")
	if status, text := b.post(page, form); status != http.StatusUnprocessableEntity || !strings.Contains(text, "soon") {
		t.Errorf("no date: %d %s", status, text)
	}
	form.Set("policy-on", "2026-09-01")
	if status, text := b.post(page, form); status != http.StatusSeeOther {
		t.Errorf("the first step: %d\n%s", status, text)
	}
	if _, text := b.get(page); !strings.Contains(text, "file 12") || !strings.Contains(text, "dpia-text") {
		t.Errorf("after the first step:\n%s", text)
	}
	if status, text := b.post(page, url.Values{"mode": {"fingers"}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, "dpia") {
		t.Errorf("fingers without an assessment: %d %s", status, text)
	}
	if status, _ := b.get("/office/terminals/till-9/commission"); status != http.StatusNotFound {
		t.Errorf("no such terminal: %d", status)
	}
	if _, text := b.get("/office/terminals"); !strings.Contains(text, page) {
		t.Error("the list of terminals does not lead to it")
	}
}
