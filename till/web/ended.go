package web

import (
	"fmt"
	"net/http"
)

// End is what is left of a terminal that was decommissioned. Nothing of it is personal.
type End struct {
	Working     bool // it is being done just now
	Terminal    string
	Certificate string
	Verifier    string // the key that verifies it
	Hub         string // what the hub knows, in a sentence
	Trouble     string // what went wrong, in a sentence
}

// Ended returns the page of a terminal that was decommissioned, in the place of all others. d.Till is not needed.
func Ended(d Deps, end func() End) http.Handler {
	p := newPages(d)
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, r *http.Request) {
		p.render(w, "ended.html", struct {
			Base, Site string
			Technician bool
			End
		}{p.base, p.site, RoleOf(r) == Technician, end()})
	}
	for _, path := range []string{"/{$}", "/pupil", "/technician"} {
		mux.HandleFunc("GET "+p.base+path, show)
	}
	mux.HandleFunc("GET "+p.base+"/technician/stage", func(w http.ResponseWriter, _ *http.Request) {
		say := "ended"
		if end().Working {
			say = stageLeaving
		}
		sayStage(w, say)
	})
	mux.HandleFunc("GET "+p.base+"/technician/certificate", onlyTechnicians(func(w http.ResponseWriter, r *http.Request) {
		e := end()
		if e.Certificate == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", e.Terminal+"-certificate.txt"))
		fmt.Fprint(w, e.Certificate)
	}))
	mux.HandleFunc("POST "+p.base+"/", func(w http.ResponseWriter, _ *http.Request) {
		complain(w, http.StatusConflict, "This terminal has been decommissioned: it does nothing else any more.")
	})
	p.files(mux)
	return protect(d, mux)
}
