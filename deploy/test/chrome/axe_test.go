package chrome

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A page that some cannot use is found out, under a policy as strict as that of the real pages; if it were not, their passing would mean nothing.
func TestAxeFindsWhatKeepsPeopleOut(t *testing.T) {
	axe := LoadAxe(t)
	if axe.source == "" {
		t.Skip("no axe-core here")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		io.WriteString(w, `<!doctype html><title>x</title><main><h1>x</h1><form><input name="q"></form><img src="/x.png"></main>`)
	}))
	defer server.Close()
	ctx := Open(t, time.Minute)
	var found []string
	err := chromedp.Do(ctx, chromedp.Navigate(server.URL), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		flaws, err := axe.look(ctx, target)
		for _, f := range flaws {
			found = append(found, f.ID)
		}
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"html-has-lang", "label", "image-alt"} {
		if !slices.Contains(found, want) {
			t.Errorf("axe-core does not find %s, only %v", want, found)
		}
	}
}
