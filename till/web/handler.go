package web

import (
	"embed"
	"io/fs"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/till"
)

// mostBody bounds a request's body, in bytes: the longest is a name's beginning.
const mostBody = 4 << 10

// policy of the pages: nothing from elsewhere, no inline script or style, framed
// only by its own origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

//go:embed static
var static embed.FS

// Deps is what the pages need.
type Deps struct {
	Till  *till.Till
	Base  string   // path below which the pages lie, as "" or "/till"; no slash at the end
	Hosts []string // host names answered to, besides localhost, 127.0.0.1 and ::1
	// Answers, unless nil, says which other names and addresses are answered to.
	Answers func(host string) bool
	Site    string // name of the school, in the page's head

	Workshop Workshop // behind the technician's page; nil for none
}

// pages serves the till's pages.
type pages struct {
	till     *till.Till
	workshop Workshop
	base     string
	site     string
}

func newPages(d Deps) *pages {
	return &pages{till: d.Till, workshop: d.Workshop, base: strings.TrimSuffix(path.Clean("/"+d.Base), "/"), site: d.Site}
}

// Handler returns the pages. There is no login: serve it on loopback, or over TLS to
// browsers whose certificates the server checks.
func Handler(d Deps) http.Handler {
	p := newPages(d)
	base := p.base
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/{$}", p.operator)
	mux.HandleFunc("GET "+base+"/events", p.operatorEvents)
	mux.HandleFunc("GET "+base+"/pupil", p.pupil)
	mux.HandleFunc("GET "+base+"/pupil/events", p.pupilEvents)
	mux.HandleFunc("GET "+base+"/photo/proposal/{id}", p.proposalPhoto)
	mux.HandleFunc("GET "+base+"/photo/person/{id}", p.personPhoto)
	mux.HandleFunc("POST "+base+"/do/names", p.names)
	mux.HandleFunc("POST "+base+"/do/{action}", p.act)
	p.technicians(mux)
	p.files(mux)
	return protect(d, mux)
}

// files adds what the pages are made with.
func (p *pages) files(mux *http.ServeMux) {
	if p.base != "" {
		mux.Handle("GET "+p.base+"/", http.NotFoundHandler())
		mux.Handle("GET "+p.base, http.RedirectHandler(p.base+"/", http.StatusMovedPermanently))
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic("web: the embedded files are missing: " + err.Error()) // cannot happen: the folder is compiled in
	}
	mux.Handle("GET "+p.base+"/static/", http.StripPrefix(p.base+"/static/", http.FileServerFS(files)))
}

// protect lets nobody in who is not meant.
func protect(d Deps, next http.Handler) http.Handler {
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, d.Hosts...)
	known := func(host string) bool { return slices.Contains(hosts, host) || d.Answers != nil && d.Answers(host) }
	return guard(known, http.NewCrossOriginProtection().Handler(next))
}

// guard checks the host, bounds the body and sets the headers of every answer.
func guard(known func(host string) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known(hostname(r.Host)) {
			http.Error(w, "This terminal does not answer to that name. Use its own address, or add the name to hosts in its configuration.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store") // names and photos stay out of the browser's disk
		if strings.Contains(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-cache")
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the host of a Host header, without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
