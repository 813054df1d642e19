package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Axe is axe-core's rules, or nothing where deploy/test/install-tools could not fetch them.
type Axe struct {
	t      testing.TB
	source string
}

// LoadAxe reads axe-core from TILLPRINT_AXE, or from where install-tools puts it. Without it the pages are not looked at, and the test's log says so.
func LoadAxe(t testing.TB) Axe {
	t.Helper()
	path := os.Getenv("TILLPRINT_AXE")
	if cache, err := os.UserCacheDir(); path == "" && err == nil {
		path = filepath.Join(cache, "tillprint", "axe", "node_modules", "axe-core", "axe.min.js")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Log("no axe-core here: it is not asked whether everybody can use the pages (deploy/test/install-tools fetches it where npm is)")
	}
	return Axe{t, string(source)}
}

// rules are those of WCAG 2.2 at level AA and what axe-core calls good practice.
const rules = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}`

// flaw is a rule of axe-core's that a page breaks, and where.
type flaw struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML string }
}

// Passes looks at the page that is shown and fails the test with what keeps somebody from using it.
func (a Axe) Passes(page string) Act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		flaws, err := a.look(ctx, t)
		if err != nil {
			return fmt.Errorf("asking axe-core about %s: %w", page, err)
		}
		for _, f := range flaws {
			var where []string
			for _, n := range f.Nodes {
				where = append(where, n.HTML)
			}
			a.t.Errorf("%s is not for everybody (%s, %s): %s:\n\t%s", page, f.ID, f.Impact, f.Help, strings.Join(where, "\n\t"))
		}
		return nil
	})
}

// look runs the rules in the page. The answer is fetched by asking until it is there, as Until does.
func (a Axe) look(ctx context.Context, t *chromedp.Target) (flaws []flaw, err error) {
	if a.source == "" {
		return nil, nil
	}
	run := a.source + "\n;axe.run(document, " + rules + `).then(r => { window.axeFound = JSON.stringify(r.violations) }, e => { window.axeFound = "" + e }); true`
	if _, err := chromedp.Evaluate[bool](run)(ctx, t); err != nil {
		return nil, err
	}
	if _, err := Until(`window.axeFound !== undefined`)(ctx, t); err != nil {
		return nil, err
	}
	text, err := chromedp.Evaluate[string](`(() => { const found = window.axeFound; delete window.axeFound; return found })()`)(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &flaws); err != nil {
		return nil, errors.New(text)
	}
	return flaws, nil
}
