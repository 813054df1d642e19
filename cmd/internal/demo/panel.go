package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tillprint/tillprint/till"
)

// panel is the demo's own part of the page: glass, queue and log.
type panel struct {
	*world
	events *events
	mu     sync.Mutex // guards the cast's press numbers
}

// fill enrols the cast and the crowd at the station, from where the tills get
// them, while the page is already open.
func (p *panel) fill(ctx context.Context) error {
	p.events.send("crowd", "The school's fingers are on their way to the tills …")
	if err := p.openStation(ctx); err != nil {
		return err
	}
	cast, err := p.enrolCast(ctx, p.cast)
	if err != nil {
		return err
	}
	crowd, err := p.enrolCrowd(ctx)
	if err != nil {
		return err
	}
	if err := p.templatesAt(ctx, p.tills[:], cast+crowd); err != nil {
		return err
	}
	p.events.send("crowd", fmt.Sprintf("%d templates are at both tills.", cast+crowd))
	return nil
}

// tell turns a terminal's news into a line of the log. Names are on the
// operator's page; the log has none.
func (p *panel) tell(i int, n News) {
	if r := n.Scan; r != nil {
		p.events.send("line", fmt.Sprintf("Till %c: %s (wire %d ms, computing %.1f ms, %d templates)",
			'A'+i, r.Why, r.Wire.Milliseconds(), float64(r.Compute.Microseconds())/1000, r.Gallery))
	}
	if v := n.View; v != nil && (v.State == till.Served || v.State == till.Refused || v.State == till.Enrolled) {
		p.events.send("line", fmt.Sprintf("Till %c: %v", 'A'+i, v.State))
	}
}

// card is one pupil of the queue on the page.
type card struct {
	Name, Form, PIN, Note string
	Finger, Consented     bool
}

func (p *panel) cards() []card {
	var all []card
	for _, a := range p.cast {
		all = append(all, card{a.Name, a.Form, a.pin, "Finger enrolled", true, true})
	}
	notes := map[story]string{silent: "No answer to the letter: no finger, eats by PIN", oneObjects: "One parent objects: no finger, eats by PIN", childSaid: "Said no: no finger, eats by PIN"}
	for _, r := range p.pupils[len(p.cast):] {
		if note, ok := notes[r.story]; ok {
			all = append(all, card{Name: r.Name, Form: r.Form, PIN: r.pin, Note: note})
			delete(notes, r.story)
		}
	}
	return all
}

// answer runs one of the panel's buttons and says in a sentence what came of it.
func (p *panel) answer(do func(ctx context.Context, t *terminal, a *actor) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.PostFormValue("till"))
		if err != nil || i < 0 || i >= len(p.tills) {
			http.Error(w, "There is no such till.", http.StatusBadRequest)
			return
		}
		var a *actor
		if who, err := strconv.Atoi(r.PostFormValue("who")); err == nil && who >= 0 && who < len(p.cast) {
			a = &p.cast[who]
		}
		p.mu.Lock()
		said, err := do(r.Context(), p.tills[i], a)
		p.mu.Unlock()
		if err != nil {
			http.Error(w, "That did not work: "+err.Error(), http.StatusConflict)
			return
		}
		fmt.Fprint(w, said)
	}
}

var errNobody = errors.New("there is no such pupil in the queue")

func (p *panel) pressed(ctx context.Context, t *terminal, a *actor) (string, error) {
	if a == nil {
		return "", errNobody
	}
	// A till that did not see the glass empty takes the next finger for the last
	// one. A till that is not looking just now finds a new one when it does.
	looked, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	_ = t.lift(looked)
	return a.Name + "'s finger lies on the glass of till " + t.name + ".", p.pressNext(t, a)
}

func (p *panel) lifted(_ context.Context, t *terminal, _ *actor) (string, error) {
	t.sim.Lift()
	return "The glass of till " + t.name + " is free.", nil
}

func (p *panel) withdrawn(ctx context.Context, _ *terminal, a *actor) (string, error) {
	if a == nil {
		return "", errNobody
	}
	p.events.send("line", "Hub: a parent has withdrawn a consent")
	return "The hub has noted that a parent of " + a.Name + " withdraws.", p.office.withdraw(ctx, a.id, a.Responsible[0].ID)
}
