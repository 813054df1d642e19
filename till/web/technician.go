package web

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/till"
)

// workbench is what the technician's page shows.
type workbench struct {
	Base, Site string
	Examination
	Test Test
}

// technicians adds the technician's page, where there is a workshop. Nobody of another role gets anything of it.
func (p *pages) technicians(mux *http.ServeMux) {
	if p.workshop == nil {
		return
	}
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET %s/technician":               p.technician,
		"GET %s/technician/findings":      p.findings,
		"GET %s/technician/events":        p.technicianEvents,
		"GET %s/technician/stage":         p.stage,
		"POST %s/technician/bundle":       p.bundle,
		"POST %s/technician/test":         p.startTest,
		"POST %s/technician/answer":       p.answer,
		"POST %s/technician/decommission": p.decommission,
	} {
		mux.HandleFunc(fmt.Sprintf(pattern, p.base), onlyTechnicians(serve))
	}
}

// onlyTechnicians refuses everybody else, in words.
func onlyTechnicians(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if RoleOf(r) != Technician {
			complain(w, http.StatusForbidden, "This page is for a technician: at the terminal itself, or in a browser that was let in as a technician's.")
			return
		}
		next(w, r)
	}
}

func (p *pages) workbench() workbench {
	test, _ := p.workshop.Test()
	return workbench{p.base, p.site, p.workshop.Examine(), test}
}

func (p *pages) technician(w http.ResponseWriter, _ *http.Request) {
	p.render(w, "technician.html", p.workbench())
}

func (p *pages) findings(w http.ResponseWriter, _ *http.Request) {
	p.render(w, "findings", p.workbench())
}

// stage tells a page that waits for the terminal's end how far that has come.
func (p *pages) stage(w http.ResponseWriter, _ *http.Request) {
	say := "serving"
	if p.workshop.Leaving() {
		say = stageLeaving
	}
	sayStage(w, say)
}

// stageLeaving is the stage in which a page has to wait.
const stageLeaving = "leaving"

func sayStage(w http.ResponseWriter, say string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, say)
}

// sure reports whether a request carries the confirmation of the button that was pressed, and complains if not.
func sure(w http.ResponseWriter, r *http.Request) bool {
	if r.PostFormValue("sure") == "yes" {
		return true
	}
	complain(w, http.StatusBadRequest, "That was not confirmed. Use the button on the technician's page.")
	return false
}

// bundle sends the support bundle as a file.
func (p *pages) bundle(w http.ResponseWriter, r *http.Request) {
	if !sure(w, r) {
		return
	}
	packed, err := p.workshop.Bundle(r.Context())
	if err != nil {
		p.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", `attachment; filename="tillprint-support.tar.gz"`)
	w.Write(packed) // a page that is gone does not miss it
}

func (p *pages) startTest(w http.ResponseWriter, r *http.Request) {
	if sure(w, r) {
		p.done(w, p.workshop.StartTest(r.PostFormValue("hands") == "yes"))
	}
}

func (p *pages) answer(w http.ResponseWriter, r *http.Request) {
	p.done(w, p.workshop.Answer(r.PostFormValue("yes") == "yes"))
}

// decommission orders the end. The page that has asked waits for the certificate.
func (p *pages) decommission(w http.ResponseWriter, r *http.Request) {
	if err := p.workshop.Decommission(r.PostFormValue("terminal")); err != nil {
		p.refuse(w, err)
		return
	}
	w.Header().Set("HX-Retarget", "main")
	w.Header().Set("HX-Reswap", "innerHTML")
	p.render(w, "leaving", struct{ Base string }{p.base})
}

// done answers an order whose effect comes over the event stream.
func (p *pages) done(w http.ResponseWriter, err error) {
	if err != nil {
		p.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuse says why something was not done. A technician can do something with the error's own words.
func (p *pages) refuse(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	for _, own := range []error{ErrUnderWay, ErrNoQuestion, ErrOtherName, ErrLeaving, ErrNoStore, till.ErrBusy} {
		if errors.Is(err, own) {
			code = http.StatusConflict
		}
	}
	complain(w, code, "Not done: "+err.Error()+".")
}

// technicianEvents sends the self-test whenever it has gone on.
func (p *pages) technicianEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		test, changed := p.workshop.Test()
		var b, message bytes.Buffer
		if err := templates.ExecuteTemplate(&b, "test", workbench{Base: p.base, Test: test}); err != nil {
			panic("web: a template does not fit the self-test: " + err.Error()) // cannot happen: the tests render every stage
		}
		writeEvent(&message, "test", b.Bytes())
		if !send(out, w, message.Bytes()) {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-r.Context().Done():
				return
			case <-changed:
				waiting = false
			case <-alive.C:
				if !send(out, w, []byte(": still here\n\n")) {
					return
				}
			}
		}
	}
}

// send writes to a stream at once and reports whether it is still there.
func send(out *http.ResponseController, w http.ResponseWriter, message []byte) bool {
	out.SetWriteDeadline(time.Now().Add(writeLimit)) // not every writer has one; the next write tells
	_, err := w.Write(message)
	return err == nil && out.Flush() == nil
}

// complain answers with a sentence for the page's notice.
func complain(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(html.EscapeString(sentence))) // a page that is gone does not miss it
}
