package terminald

import (
	"context"
	"crypto/x509"
	"net/http"
	"sync"
)

// visits are the requests that are being answered on the network: a stream of events lasts for hours, and must end when its
// browser is let in no more.
type visits struct {
	mu   sync.Mutex
	open map[*guest]bool
}

type guest struct {
	of  []*x509.Certificate
	end context.CancelFunc
}

// admit lets a request through if its browser may come in at this moment: its connection may be older than a revocation.
func (n *network) admit(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithCancel(r.Context())
		defer end()
		v := &guest{r.TLS.PeerCertificates, end}
		n.visits.begin(v)
		defer n.visits.done(v)
		if _, err := n.check(v.of); err != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, "This browser is no longer let in. Ask the office for a new certificate.", http.StatusForbidden)
			return
		}
		pages.ServeHTTP(w, r.WithContext(ctx))
	})
}

// review ends what would not be let in any more.
func (n *network) review() {
	n.visits.mu.Lock()
	defer n.visits.mu.Unlock()
	for v := range n.visits.open {
		if _, err := n.check(v.of); err != nil {
			n.log.Warn("a browser is shut out", "err", err)
			v.end()
		}
	}
}

func (v *visits) begin(one *guest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open == nil {
		v.open = map[*guest]bool{}
	}
	v.open[one] = true
}

func (v *visits) done(one *guest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.open, one)
}
