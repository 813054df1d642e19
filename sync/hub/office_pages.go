package hub

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/tillprint/tillprint/consent"
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
		"page": func(view, part any) map[string]any { return map[string]any{"View": view, "Part": part} },
	}).ParseFS(pageFiles, "pages/frame.html"))
	for _, name := range []string{"login", "people", "person", "terminals", "receipts", "school", "pins"} {
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
		"POST /office/logout":                  h.logout,
		"GET /office/{$}":                      h.toPeople,
		"GET /office/people":                   h.peoplePage,
		"POST /office/people":                  h.personAdd,
		"GET /office/people/{id}":              h.personPage,
		"POST /office/people/{id}/{act}":       h.personAct,
		"GET /office/terminals":                h.terminalsPage,
		"POST /office/terminals":               h.joinPost,
		"POST /office/terminals/order":         h.orderPost,
		"GET /office/receipts":                 h.receiptsPage,
		"GET /office/receipts/{terminal}/{id}": h.receiptFile,
		"GET /office/school":                   h.schoolPage,
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

type peopleView struct {
	Search string
	People []Listed
}

func (h *Hub) peoplePage(w http.ResponseWriter, r *http.Request, who officer) error {
	search := r.URL.Query().Get("q")
	people, err := h.List(r.Context(), who.site, search, 200)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "people", view{Title: "People", Body: peopleView{search, people}})
	return nil
}

func (h *Hub) personAdd(w http.ResponseWriter, r *http.Request, who officer) error {
	var p NewSubject
	err := errors.Join(p.Class.UnmarshalText([]byte(r.PostFormValue("class"))), p.Eighteenth.UnmarshalText([]byte(r.PostFormValue("eighteenth"))))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	p.Name, p.Form, p.PIN = r.PostFormValue("name"), r.PostFormValue("form"), true
	for i := 1; i <= 2; i++ {
		if name := r.PostFormValue(fmt.Sprintf("parent%d", i)); name != "" {
			p.Responsible = append(p.Responsible, Adult{consent.Responsible{ID: fmt.Sprintf("g_%d", i), Capacity: consent.Parent, ParentalResponsibility: true}, name})
		}
	}
	added, err := h.AddSubjects(r.Context(), who.site, who.name, []NewSubject{p})
	if err != nil {
		return err
	}
	return h.showPINs(w, r, who, added)
}

// shownPIN is one line of the only page that ever shows a PIN.
type shownPIN struct {
	Added
	Name string
}

func (h *Hub) showPINs(w http.ResponseWriter, r *http.Request, who officer, pins []Added) error {
	var lines []shownPIN
	for _, p := range pins {
		d, err := h.Subject(r.Context(), who.site, p.Subject)
		if err != nil {
			return err
		}
		lines = append(lines, shownPIN{p, d.Name})
	}
	h.show(w, r, http.StatusOK, who, "pins", view{Title: "PIN", Body: lines})
	return nil
}

func (h *Hub) personPage(w http.ResponseWriter, r *http.Request, who officer) error {
	id, err := subjectOf(r)
	if err != nil {
		return err
	}
	d, err := h.Subject(r.Context(), who.site, id)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "person", view{Title: d.Name, Body: d})
	return nil
}

// personAct does what one press on a person's page asks for.
func (h *Hub) personAct(w http.ResponseWriter, r *http.Request, who officer) error {
	id, err := subjectOf(r)
	if err != nil {
		return err
	}
	switch r.PathValue("act") {
	case "withdraw":
		_, err = h.Withdraw(r.Context(), who.site, who.name, id, r.PostFormValue("by"), r.PostFormValue("form") == string(consent.Written))
	case "refuse":
		_, err = h.Refuse(r.Context(), who.site, who.name, id)
	case "leave":
		err = h.Leave(r.Context(), who.site, who.name, id)
	case "statement":
		err = h.statementPost(r, who, id)
	case "pin":
		pins, err := h.DrawPINs(r.Context(), who.site, who.name, []consent.SubjectID{id})
		if err != nil {
			return err
		}
		return h.showPINs(w, r, who, pins)
	default:
		err = fmt.Errorf("%w: there is no such act", ErrNotFound)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/people/"+string(id), http.StatusSeeOther)
	return nil
}

// statementPost records what a parent or the subject said on the date given.
func (h *Hub) statementPost(r *http.Request, who officer, id consent.SubjectID) error {
	d, err := h.Subject(r.Context(), who.site, id)
	if err != nil {
		return err
	}
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	s := consent.Statement{Kind: consent.Kind(r.PostFormValue("kind")), Form: consent.Form(r.PostFormValue("form")), By: r.PostFormValue("by"),
		Notice: r.PostFormValue("notice"), Evidence: r.PostFormValue("evidence"), Purpose: site.Profile.Purpose, Modality: site.Profile.Modality}
	today, local, err := site.today(h.config.Now())
	if err != nil {
		return err
	}
	var said consent.Date
	if err := said.UnmarshalText([]byte(r.PostFormValue("on"))); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if s.At = local; !said.IsZero() && said.Before(today) {
		s.At = said.Start(local.Location())
	}
	s.Capacity = (&subject{Subject: consent.Subject{Class: d.Class}}).ownCapacity()
	for _, a := range d.Responsible {
		if a.ID == s.By {
			s.Capacity = a.Capacity
		}
	}
	_, err = h.AddStatement(r.Context(), who.site, who.name, id, s)
	return err
}

type terminalsView struct {
	Terminals []TerminalState
	Code      string
}

func (h *Hub) terminalsPage(w http.ResponseWriter, r *http.Request, who officer) error {
	return h.showTerminals(w, r, who, "")
}

func (h *Hub) showTerminals(w http.ResponseWriter, r *http.Request, who officer, code string) error {
	all, err := h.Terminals(r.Context(), who.site)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "terminals", view{Title: "Terminals", Body: terminalsView{all, code}})
	return nil
}

func (h *Hub) joinPost(w http.ResponseWriter, r *http.Request, who officer) error {
	code, err := h.NewJoinCode(r.Context(), who.site, who.name, r.PostFormValue("name"))
	if err != nil {
		return err
	}
	return h.showTerminals(w, r, who, code)
}

func (h *Hub) orderPost(w http.ResponseWriter, r *http.Request, who officer) (err error) {
	name, do := r.PostFormValue("name"), r.PostFormValue("do")
	if do == "remove" {
		err = h.RemoveTerminal(r.Context(), who.site, who.name, name)
	} else {
		err = h.Command(r.Context(), who.site, who.name, name, register.Command{Do: register.Action(do)})
	}
	if err == nil {
		http.Redirect(w, r, "/office/terminals", http.StatusSeeOther)
	}
	return err
}

func (h *Hub) receiptsPage(w http.ResponseWriter, r *http.Request, who officer) error {
	all, err := h.Reports(r.Context(), who.site, register.ReportReceipt, consent.SubjectID(r.URL.Query().Get("subject")), 500)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "receipts", view{Title: "Receipts", Body: all})
	return nil
}

// receiptFile gives one receipt as the terminal wrote it, to keep and to verify.
func (h *Hub) receiptFile(w http.ResponseWriter, r *http.Request, who officer) error {
	rep, err := h.receipt(r.Context(), who.site, r.PathValue("terminal"), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt-`+url.PathEscape(string(rep.Subject))+`.txt"`)
	w.Write([]byte(rep.Body))
	return nil
}

type schoolView struct {
	Profile consent.Profile
	Deeds   []Deed
	Reports []Report
}

func (h *Hub) schoolPage(w http.ResponseWriter, r *http.Request, who officer) error {
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	deeds, err := h.Deeds(r.Context(), who.site, 200)
	if err != nil {
		return err
	}
	alerts, err := h.Reports(r.Context(), who.site, register.ReportAlert, "", 50)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "school", view{Title: "School", Body: schoolView{site.Profile, deeds, alerts}})
	return nil
}
