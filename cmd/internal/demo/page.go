package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tillprint/tillprint/till"
)

//go:embed static
var static embed.FS

var demoPage = template.Must(template.ParseFS(static, "static/demo.html"))

// castSize is how many pupils stand in the queue of the demo's page.
const castSize = 12

// show runs the demo for a person until ctx ends. The page's address is the
// first line printed.
func (w *world) show(ctx context.Context) error {
	l, err := listenNear(w.o.Listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.o.Out, "Open http://%s/ in a browser; Ctrl-C ends the demo and removes everything.\n", l.Addr())
	fingers, err := w.showFingers()
	if err != nil {
		return err
	}
	if err := w.founding(ctx, fingers); err != nil {
		return err
	}
	if err := w.startHub(ctx); err != nil {
		return err
	}
	p := &panel{world: w, events: newEvents()}
	if err := w.startTills(ctx, p.tell); err != nil {
		return err
	}
	handler, err := p.handler()
	if err != nil {
		return err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	context.AfterFunc(ctx, func() { s.Close() })
	filled := make(chan error, 1)
	go func() { filled <- p.fill(ctx) }()
	if err := s.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("serving the demo's page: %w", err)
	}
	if err := <-filled; err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// showFingers are those of the folder, or a dozen synthetic ones.
func (w *world) showFingers() ([]finger, error) {
	if w.o.Fingers != "" {
		return fingersOf(w.o.Fingers)
	}
	return grow(castSize, func(done int) { w.o.Progress("fingers", done, castSize) }), nil
}

// listenNear takes the wished address, or another port if that one is taken.
func listenNear(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, fmt.Errorf("listening on %s: %w; write it as 127.0.0.1:8080", address, splitErr)
	}
	if l, anyErr := net.Listen("tcp", net.JoinHostPort(host, "0")); anyErr == nil {
		return l, nil
	}
	return nil, fmt.Errorf("listening for the demo's page: %w; choose another address with --listen", err)
}

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

func (p *panel) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		err := demoPage.Execute(w, map[string]any{"Site": site().Name, "Pupils": len(p.pupils), "Sensor": p.tillSensor().Name, "Cast": p.cards()})
		if err != nil {
			p.log.Debug("writing the page", "err", err) // the browser is gone
		}
	})
	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.HandleFunc("GET /demo/events", p.events.serve)
	mux.HandleFunc("POST /demo/press", p.answer(p.pressed))
	mux.HandleFunc("POST /demo/lift", p.answer(p.lifted))
	mux.HandleFunc("POST /demo/withdraw", p.answer(p.withdrawn))
	for _, t := range p.tills {
		mux.Handle(t.base+"/", forward("http://"+t.address, ""))
	}
	mux.Handle("/office/", forward(p.office.address, p.office.token))
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// forward passes requests on to a page of another process, so that all of the
// demo is one origin. token, if not empty, logs the person in.
func forward(to, token string) http.Handler {
	target, err := url.Parse(to)
	if err != nil {
		panic(err) // cannot happen: the addresses are our own
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		if token != "" {
			r.Out.Header.Set("Authorization", "Bearer "+token)
		}
	}}
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

func (p *panel) pressed(_ context.Context, t *terminal, a *actor) (string, error) {
	if a == nil {
		return "", errNobody
	}
	t.sim.Lift()
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
