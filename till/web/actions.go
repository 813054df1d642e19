package web

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/till"
)

// actions are what the operator's buttons do, by the last part of their path.
// Each takes the request's form.
var actions = map[string]func(context.Context, *till.Till, func(string) string) error{
	"finger": func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.Scan(ctx) },
	"pin":    func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.Keypad(ctx) },
	"key":    key,
	"cash":   func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.Cash(ctx) },
	"outside": func(ctx context.Context, t *till.Till, f func(string) string) error {
		return t.Outside(ctx, f("reference"))
	},
	"choose": func(ctx context.Context, t *till.Till, f func(string) string) error {
		return t.Choose(ctx, consent.SubjectID(f("subject")))
	},
	"claim": func(ctx context.Context, t *till.Till, f func(string) string) error {
		return t.Claim(ctx, consent.SubjectID(f("subject")))
	},
	"confirm":  func(ctx context.Context, t *till.Till, f func(string) string) error { return t.Confirm(ctx, f("id")) },
	"not-them": func(ctx context.Context, t *till.Till, f func(string) string) error { return t.NotThem(ctx, f("id")) },
	"refuse": func(ctx context.Context, t *till.Till, f func(string) string) error {
		return t.Refuse(ctx, consent.SubjectID(f("subject")))
	},
	"clear": func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.Clear(ctx) },
	"enrol": func(ctx context.Context, t *till.Till, f func(string) string) error {
		return t.Enrol(ctx, consent.SubjectID(f("subject")))
	},
	"enrol-yes":   func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.EnrolYes(ctx) },
	"enrol-no":    func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.EnrolNo(ctx) },
	"enrol-other": func(ctx context.Context, t *till.Till, _ func(string) string) error { return t.EnrolOther(ctx) },
}

func key(ctx context.Context, t *till.Till, form func(string) string) error {
	r, size := utf8.DecodeRuneInString(form("key"))
	if size == 0 || size != len(form("key")) {
		return errors.New("till: send one key at a time")
	}
	return t.Key(ctx, r)
}

// act runs an action. What follows from it comes over the event stream; only a
// refusal to act is answered here.
func (p *pages) act(w http.ResponseWriter, r *http.Request) {
	do, ok := actions[r.PathValue("action")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		complain(w, http.StatusBadRequest, "That request could not be read. Load the page again.")
		return
	}
	switch err := do(onBehalf(r), p.till, r.PostFormValue); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, till.ErrStale):
		complain(w, http.StatusConflict, "That was too late: the proposal is over. Identify the pupil again.")
	case errors.Is(err, till.ErrBusy):
		complain(w, http.StatusConflict, "Finish what is on the screen first, or press Clear.")
	case errors.Is(err, till.ErrStopped):
		complain(w, http.StatusServiceUnavailable, "The terminal is stopping.")
	default:
		complain(w, http.StatusBadRequest, "That did not work. Check what was typed, or use another way.")
	}
}

// names answers a look-up with the list of people, to this page alone (H13).
func (p *pages) names(w http.ResponseWriter, r *http.Request) {
	found, err := p.till.Lookup(r.Context(), r.PostFormValue("q"))
	if err != nil {
		complain(w, http.StatusConflict, "The look-up is not open now. Press Name again.")
		return
	}
	p.render(w, "found", struct {
		Base  string
		Asked bool
		PIN   bool
		Found []till.Match
	}{p.base, r.PostFormValue("q") != "", p.till.View().NameFirst, found})
}

// proposalPhoto sends the picture of the person in a standing proposal. One that
// has ended meanwhile has no picture any more, which is nobody's error.
func (p *pages) proposalPhoto(w http.ResponseWriter, r *http.Request) {
	photo, err := p.till.Photo(r.Context(), r.PathValue("id"))
	if errors.Is(err, till.ErrStale) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	sendPhoto(w, r, photo, err)
}

// personPhoto sends the picture of a person in a look-up's list.
func (p *pages) personPhoto(w http.ResponseWriter, r *http.Request) {
	id, err := consent.ParseSubjectID(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	photo, err := p.till.PersonPhoto(id)
	sendPhoto(w, r, photo, err)
}

// sendPhoto sends a picture if it is one: its bytes came from the hub.
func sendPhoto(w http.ResponseWriter, r *http.Request, photo []byte, err error) {
	kind := http.DetectContentType(photo)
	if err != nil || kind != "image/jpeg" && kind != "image/png" && kind != "image/webp" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(photo) // a page that is gone does not miss it
}
