package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tillprint/tillprint/till"
)

//go:embed templates
var templateFiles embed.FS

// templates are all pages and their parts.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"initials": initials,
	"clock":    func(t time.Time) string { return t.Format("15:04") },
	"left":     secondsLeft,
	"dots":     dots,
	"keys":     func() []string { return []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"} },
}).ParseFS(templateFiles, "templates/*.html"))

// page is what a template gets.
type page struct {
	Base string
	Site string
	till.View
	Technician bool // the technician's page is open to whoever looks
}

func (p *pages) operator(w http.ResponseWriter, r *http.Request) {
	p.render(w, "operator.html", page{p.base, p.site, p.till.View(), p.workshop != nil && RoleOf(r) == Technician})
}

func (p *pages) pupil(w http.ResponseWriter, r *http.Request) {
	p.render(w, "pupil.html", page{p.base, p.site, p.till.View(), false})
}

// render sends a template whole or not at all.
func (p *pages) render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "This page could not be made. Restart the terminal and tell its makers.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes()) // a page that is gone does not miss it
}

// initials stand where there is no photo.
func initials(name string) string {
	var b strings.Builder
	words := strings.Fields(name)
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// secondsLeft rounds up what a proposal still has, for the bar's class: a page
// that joins late shows a shorter bar.
func secondsLeft(until time.Time) string {
	left := int((time.Until(until) + time.Second - 1) / time.Second)
	return fmt.Sprintf("left-%d", min(max(left, 0), int(till.ProposalLife/time.Second)))
}

// dots are the PIN's places: true where a digit has been keyed.
func dots(keyed, length int) []bool {
	d := make([]bool, max(length, keyed))
	for i := range d[:keyed] {
		d[i] = true
	}
	return d
}
