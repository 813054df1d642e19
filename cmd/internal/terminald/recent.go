package terminald

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// recentLines is how much of its log a daemon keeps in memory, for a support bundle: the image keeps no journal.
const recentLines = 400

// recent keeps the last lines that were logged.
type recent struct {
	mu    sync.Mutex
	lines []string // oldest first
}

// Write takes one line, as slog's text handler writes it.
func (r *recent) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) == recentLines {
		r.lines = r.lines[1:]
	}
	r.lines = append(r.lines, string(bytes.TrimSpace(line)))
	return len(line), nil
}

func (r *recent) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n") + "\n"
}

// beside gives a log whose lines are kept as well.
func (r *recent) beside(log *slog.Logger) *slog.Logger {
	return slog.New(both{log.Handler(), slog.NewTextHandler(r, nil)})
}

// both is a handler that writes to two.
type both struct{ a, b slog.Handler }

func (h both) Enabled(ctx context.Context, l slog.Level) bool {
	return h.a.Enabled(ctx, l) || h.b.Enabled(ctx, l)
}

func (h both) Handle(ctx context.Context, r slog.Record) error {
	if h.b.Enabled(ctx, r.Level) {
		_ = h.b.Handle(ctx, r.Clone()) // memory takes everything
	}
	if h.a.Enabled(ctx, r.Level) {
		return h.a.Handle(ctx, r)
	}
	return nil
}

func (h both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return both{h.a.WithAttrs(attrs), h.b.WithAttrs(attrs)}
}

func (h both) WithGroup(name string) slog.Handler {
	return both{h.a.WithGroup(name), h.b.WithGroup(name)}
}
