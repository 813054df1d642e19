package hub

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tillprint/tillprint/consent"
)

func subjectOf(r *http.Request) (consent.SubjectID, error) {
	id, err := consent.ParseSubjectID(r.PathValue("id"))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return id, nil
}

func (h *Hub) apiList(r *http.Request, who officer) (any, error) {
	return h.List(r.Context(), who.site, r.URL.Query().Get("q"), most(r, 5000))
}

func (h *Hub) apiAdd(r *http.Request, who officer) (any, error) {
	people := make([]NewSubject, 1)
	if err := decode(r, &people[0]); err != nil {
		return nil, err
	}
	added, err := h.AddSubjects(r.Context(), who.site, who.name, people)
	if err != nil {
		return nil, err
	}
	return added[0], nil
}

func (h *Hub) apiBulk(r *http.Request, who officer) (any, error) {
	var people []NewSubject
	if err := decode(r, &people); err != nil {
		return nil, err
	}
	return h.AddSubjects(r.Context(), who.site, who.name, people)
}

func (h *Hub) apiSubject(r *http.Request, who officer) (any, error) {
	id, err := subjectOf(r)
	if err != nil {
		return nil, err
	}
	return h.Subject(r.Context(), who.site, id)
}

// decided is the answer to everything that makes the hub decide again.
type decided struct {
	Decision consent.Decision `json:"decision"`
}

// about serves a request that changes what is known of one subject. Its body is
// read into an In before anything is looked up.
func about[In any](change func(context.Context, officer, consent.SubjectID, In) (consent.Decision, error)) func(*http.Request, officer) (any, error) {
	return func(r *http.Request, who officer) (any, error) {
		id, err := subjectOf(r)
		if err != nil {
			return nil, err
		}
		var in In
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		d, err := change(r.Context(), who, id, in)
		return decided{d}, err
	}
}

func (h *Hub) apiUpdate(ctx context.Context, who officer, id consent.SubjectID, u Update) (consent.Decision, error) {
	return h.UpdateSubject(ctx, who.site, who.name, id, u)
}

func (h *Hub) apiStatement(ctx context.Context, who officer, id consent.SubjectID, s consent.Statement) (consent.Decision, error) {
	return h.AddStatement(ctx, who.site, who.name, id, s)
}

// withdrawing says who withdraws, and how.
type withdrawing struct {
	By      string `json:"by"`      // the adult's id; empty for the subject
	Written bool   `json:"written"` // in writing, not by word of mouth
}

func (h *Hub) apiWithdraw(ctx context.Context, who officer, id consent.SubjectID, in withdrawing) (consent.Decision, error) {
	return h.Withdraw(ctx, who.site, who.name, id, in.By, in.Written)
}

func (h *Hub) apiRefuse(r *http.Request, who officer) (any, error) {
	id, err := subjectOf(r)
	if err != nil {
		return nil, err
	}
	d, err := h.Refuse(r.Context(), who.site, who.name, id)
	return decided{d}, err
}

func (h *Hub) apiLeave(r *http.Request, who officer) (any, error) {
	id, err := subjectOf(r)
	if err != nil {
		return nil, err
	}
	return decided{consent.Erase}, h.Leave(r.Context(), who.site, who.name, id)
}

func (h *Hub) apiNotTheirs(r *http.Request, who officer) (any, error) {
	id, err := subjectOf(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, h.NotTheirs(r.Context(), who.site, who.name, id)
}

func (h *Hub) apiPINs(r *http.Request, who officer) (any, error) {
	var in struct {
		Subjects []consent.SubjectID `json:"subjects"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return h.DrawPINs(r.Context(), who.site, who.name, in.Subjects)
}

// apiRoster takes the complete list of pupils. A body that does not say that it is complete is refused: of who is missing from a part
// nothing follows.
func (h *Hub) apiRoster(r *http.Request, who officer) (any, error) {
	var in struct {
		Complete bool                `json:"complete"`
		Pupils   []consent.SubjectID `json:"pupils"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if !in.Complete {
		return nil, fmt.Errorf("%w: the list does not say that it is complete", ErrInvalid)
	}
	return h.TakeRoster(r.Context(), who.site, who.name, in.Pupils)
}

func (h *Hub) apiWaiting(r *http.Request, who officer) (any, error) {
	return h.Waiting(r.Context(), who.site)
}

// answer serves the office's answer to erasures that wait.
func answer(give func(ctx context.Context, site, officer string) error) func(*http.Request, officer) (any, error) {
	return func(r *http.Request, who officer) (any, error) {
		return struct{}{}, give(r.Context(), who.site, who.name)
	}
}
