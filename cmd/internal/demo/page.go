package demo

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
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
	for i, t := range w.tills {
		heard := func(data string) { p.events.send("line", fmt.Sprintf("Point of sale %c hears %s", 'A'+i, data)) }
		if err := t.hearSales(ctx, heard); err != nil {
			return err
		}
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
