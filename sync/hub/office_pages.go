package hub

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static
var staticFiles embed.FS

// pageTemplates holds, for each page, the frame and that page's own part.
var pageTemplates = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "never"
			}
			return t.UTC().Format("2006-01-02 15:04 UTC")
		},
		"evidenceWords": func(e register.Evidence) string { return evidenceWords[e] },
		"modeWords":     func(m register.Mode) string { return modeWords[m] },
		"page":          func(view, part any) map[string]any { return map[string]any{"View": view, "Part": part} },
		"field": func(name, label string, value, most int) map[string]any {
			return map[string]any{"Name": name, "Label": label, "Value": value, "Most": most}
		},
	}).ParseFS(pageFiles, "pages/frame.html"))
	for _, name := range []string{"login", "people", "person", "terminals", "receipts", "school", "pins", "exports", "history", "held", "commission", "waiting", "profile", "browsers"} {
		all[name] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
}()

// view is what the frame of every page shows.
type view struct {
	Title   string
	Site    Site
	Officer string
	Error   string
	Waiting int // erasures that the office is asked about
	Body    any
}

// pages are the office's pages for people. All of them work without a script.
func (h *Hub) pages(mux *http.ServeMux) {
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		panic("hub: the embedded static files are gone: " + err.Error())
	}
	mux.Handle("GET /office/static/", http.StripPrefix("/office/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /office/login", h.loginPage)
	mux.HandleFunc("POST /office/login", h.loginPost)
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request, officer) error{
		"POST /office/logout":                      h.logout,
		"GET /office/{$}":                          h.toPeople,
		"GET /office/people":                       h.peoplePage,
		"POST /office/people":                      h.personAdd,
		"GET /office/people/{id}":                  h.personPage,
		"POST /office/pins":                        h.pinsPost,
		"GET /office/people/{id}/history":          h.historyPage,
		"GET /office/exports":                      h.exportsPage,
		"POST /office/exports":                     h.exportPost,
		"POST /office/exports/{id}/confirm":        h.exportConfirm,
		"GET /office/exports/{id}/file":            h.exportFile,
		"POST /office/people/{id}/{act}":           h.personAct,
		"GET /office/waiting":                      h.waitingPage,
		"POST /office/waiting/{answer}":            h.waitingPost,
		"GET /office/terminals":                    h.terminalsPage,
		"POST /office/terminals":                   h.joinPost,
		"GET /office/terminals/{name}/held":        h.heldPage,
		"POST /office/terminals/order":             h.orderPost,
		"GET /office/terminals/{name}/commission":  h.commissionPage,
		"POST /office/terminals/{name}/commission": h.commissionPost,
		"POST /office/terminals/disposed":          h.disposedPost,
		"POST /office/terminals/rejoin":            h.rejoinPost,
		"POST /office/terminals/update":            h.updatePost,
		"GET /office/browsers":                     h.browsersPage,
		"POST /office/browsers":                    h.browserPost,
		"POST /office/browsers/{name}/revoke":      h.browserRevoke,
		"GET /office/browsers/authority.crt":       h.authorityFile,
		"GET /office/receipts":                     h.receiptsPage,
		"GET /office/receipts/{terminal}/{id}":     h.receiptFile,
		"GET /office/school":                       h.schoolPage,
		"GET /office/profile":                      h.profilePage,
		"POST /office/profile":                     h.profilePost,
	} {
		mux.HandleFunc(pattern, h.forPeople(serve))
	}
}

func (h *Hub) forPeople(serve func(http.ResponseWriter, *http.Request, officer) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := h.who(r)
		if !ok {
			if r.Header.Get("HX-Request") != "" { // a part of a page: let the browser load the whole one
				w.Header().Set("HX-Redirect", "/office/login")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			http.Redirect(w, r, "/office/login", http.StatusSeeOther)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := serve(w, r, who); err != nil {
			status, text := h.officeFailure(r, err)
			h.show(w, r, status, who, "people", view{Title: "Not done", Error: text, Body: peopleView{}})
		}
	}
}

// show renders a page, or only the part of it that the script asked for.
func (h *Hub) show(w http.ResponseWriter, r *http.Request, status int, who officer, page string, v view) {
	v.Officer = who.name
	if who.site != "" {
		site, err := h.Site(r.Context(), who.site)
		if err != nil {
			_, v.Error = h.officeFailure(r, err)
		}
		v.Site = site
		if v.Waiting, err = countWaiting(r.Context(), h.db, who.site); err != nil {
			_, v.Error = h.officeFailure(r, err)
		}
	}
	part := "frame.html"
	if r.Header.Get("HX-Request") != "" && r.Method == http.MethodGet {
		part = "part"
	}
	var out bytes.Buffer
	if err := pageTemplates[page].ExecuteTemplate(&out, part, v); err != nil {
		h.config.Log.Error("a page failed", "page", page, "err", err)
		http.Error(w, "the page cannot be shown; the hub's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request")
	w.WriteHeader(status)
	w.Write(out.Bytes())
}

func (h *Hub) loginPage(w http.ResponseWriter, r *http.Request) {
	h.showLogin(w, r, http.StatusOK, "")
}

func (h *Hub) showLogin(w http.ResponseWriter, r *http.Request, status int, problem string) {
	h.show(w, r, status, officer{}, "login", view{Title: "Log in", Error: problem, Body: r.PostFormValue("site")})
}

func (h *Hub) loginPost(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	who := officer{r.PostFormValue("site"), r.PostFormValue("name")}
	cookie, err := h.startSession(r.Context(), who, r.PostFormValue("password"))
	switch {
	case errors.Is(err, errPause):
		h.showLogin(w, r, http.StatusTooManyRequests, errPause.Error())
	case err != nil:
		h.config.Log.Warn("a login at the office failed", "from", from(r), "known", !errors.Is(err, errLogin))
		h.showLogin(w, r, http.StatusForbidden, errLogin.Error())
	default:
		http.SetCookie(w, cookie)
		http.Redirect(w, r, "/office/people", http.StatusSeeOther)
	}
}

func (h *Hub) logout(w http.ResponseWriter, r *http.Request, _ officer) error {
	if c, err := r.Cookie(cookieName); err == nil {
		h.office.end(c.Value)
	}
	http.SetCookie(w, sessionCookie("", -1))
	http.Redirect(w, r, "/office/login", http.StatusSeeOther)
	return nil
}

func (h *Hub) toPeople(w http.ResponseWriter, r *http.Request, _ officer) error {
	http.Redirect(w, r, "/office/people", http.StatusSeeOther)
	return nil
}
