package terminald

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/tillprint/tillprint/cmd/internal/watchdog"
)

// alive are the parts around an open store as systemd's watchdog asks after them. A sensor or a hub that is away is no
// illness: lunch goes on without them, and a restart would not bring them back.
func (t *Terminal) alive() []watchdog.Part {
	return []watchdog.Part{
		{Name: "store", Answer: func(context.Context) error { t.Store.Applied(); return nil }},
		{Name: "hub client", Answer: func(context.Context) error { t.Hub.State(); return nil }},
		{Name: "upkeep", Answer: t.upkeepAlive},
	}
}

// upkeepAlive waits until upkeep is between two pieces of work.
func (t *Terminal) upkeepAlive(ctx context.Context) error {
	select {
	case <-t.idle:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// pageAlive asks for the operator's page as a browser would; any answer will do.
func pageAlive(ctx context.Context, page net.Addr) error {
	_, port, err := net.SplitHostPort(page.String())
	if err != nil {
		return err
	}
	host := "localhost"
	if a, ok := page.(*net.TCPAddr); ok && !a.IP.IsUnspecified() {
		host = a.IP.String()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+net.JoinHostPort(host, port)+"/", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for the operator's page: %w", err)
	}
	return answer.Body.Close()
}
