package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// outletToken is what the demo's points of sale show; they are on loopback.
const outletToken = "demo-point-of-sale-token"

// hearSales is a point of sale beside the till: it listens at the outlet and
// tells each account token that it hears, until ctx or the terminal ends.
func (t *terminal) hearSales(ctx context.Context, heard func(data string)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.outlet+"/v1/identities", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+outletToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("listening at the outlet of terminal %s: %w", t.name, err)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return fmt.Errorf("listening at the outlet of terminal %s: %s", t.name, answer.Status)
	}
	go func() {
		defer answer.Body.Close()
		identified := false
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				identified = event == "identified"
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && identified {
				heard(data)
			}
		}
	}()
	return nil
}

// sales is what the point of sale beside terminal a has heard.
type sales struct {
	sync.Mutex // guards what follows
	heard      int
	accounts   map[string]bool
}

func (s *sales) hear(data string) {
	var identity struct{ Account string }
	if json.Unmarshal([]byte(data), &identity) != nil {
		return
	}
	s.Lock()
	defer s.Unlock()
	if s.accounts == nil {
		s.accounts = map[string]bool{}
	}
	s.heard++
	s.accounts[identity.Account] = true
}

// recognisedPupils is how many of the actors were found by their finger.
func (w *world) recognisedPupils() (n int) {
	for _, a := range w.cast {
		if a.known > 0 {
			n++
		}
	}
	return n
}
