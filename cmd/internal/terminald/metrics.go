package terminald

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/machine"
	"github.com/tillprint/tillprint/till"
)

// metrics are what a school's monitoring may know of a terminal: how it is, never who eats there. They are counts and
// times of the terminal; no label carries a person.
type metrics struct{ t *Terminal }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tillprint_"+name, help, labels, nil)
}

var (
	infoMetric      = gauge("info", "1; the version of the daemon.", "version")
	partMetric      = gauge("part_level", "Each part of the health bar: 0 good, 1 to be watched, 2 bad.", "part")
	templatesMetric = gauge("gallery_templates", "Templates in memory that may be matched now.")
	appliedMetric   = gauge("register_applied", "Register entries applied.")
	headMetric      = gauge("register_head", "Register entries known to exist.")
	queueMetric     = gauge("queue_length", "Items that wait for the hub.")
	contactMetric   = gauge("hub_contact_age_seconds", "Since the last exchange with the hub that went well; absent before the first.")
	leaseMetric     = gauge("lease_remaining_seconds", "Until fingers are no longer matched without word from the hub; absent before the first lease.")
	clockMetric     = gauge("clock_trusted", "1 once the hub has told the time.")
	celsiusMetric   = gauge("board_celsius", "Temperature of the processor.")
	throttledMetric = gauge("board_throttled_bits", "Raspberry Pi's get_throttled: 0 is well.")
	agedMetric      = gauge("register_age_seconds", "Since the hub, by its clock, last told all that it has; absent before the first time.")
	lineMetric      = gauge("sensor_line_errors", "Answers and images of the sensor that came disturbed or not at all, since the daemon's start.")
	openedMetric    = gauge("sensor_opened", "Times that a sensor was found, since the daemon's start: more than 1 is a loose cable.")
	faultsMetric    = gauge("card_errors", "Errors that the card's file systems have met, by their own count.")
	kindMetric      = gauge("queue_items", "Items that wait for the hub, by kind.", "kind")
	writtenMetric   = gauge("card_written_bytes", "Written to the card since the board's start.")
	brokenMetric    = gauge("invariants_broken", "What must always be true and is not, as the last hourly check found it.")
	wornMetric      = gauge("card_worn_tenths", "Tenths of the card's life used up, where the card tells.")
)

// figures are all of them, read anew each time.
func (t *Terminal) figures() prometheus.Gatherer {
	r := prometheus.NewRegistry()
	r.MustRegister(metrics{t}, t.presses.wire, t.presses.compute)
	return r
}

// metricsHandler serves the metrics of t in Prometheus' text format.
func metricsHandler(t *Terminal) http.Handler {
	return promhttp.HandlerFor(t.figures(), promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 10 * time.Second})
}

// serveMetrics serves them at address until ctx ends. Lunch does not depend on it: an address that is taken is a line in the log.
func (t *Terminal) serveMetrics(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.log.Error("nobody can read the metrics; set metrics.listen to a free address of this machine", "err", err)
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsHandler(t))
	return cli.Serve(ctx, l, mux)
}

// Describe sends nothing: what is there differs from board to board.
func (m metrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads everything anew.
func (m metrics) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	send(infoMetric, 1, cli.Version())
	for _, l := range m.t.Till.View().Health {
		send(partMetric, float64(l.Level-till.Good), l.Part)
	}
	s, now := m.t.Hub.State(), m.t.Store.Now()
	send(templatesMetric, float64(m.t.Gallery.Len()))
	send(appliedMetric, float64(s.Applied))
	send(headMetric, float64(s.Head))
	send(queueMetric, float64(s.Pending))
	if !s.Contact.IsZero() {
		send(contactMetric, time.Since(s.Contact).Seconds())
	}
	if !s.Told.IsZero() {
		send(agedMetric, now.Sub(s.Told).Seconds())
	}
	send(brokenMetric, float64(len(m.t.brokenNow())))
	send(lineMetric, float64(m.t.presses.lineErrors()))
	send(openedMetric, float64(m.t.presses.opened.Load()))
	m.queue(send)
	if until := m.t.Custody.Lease(); !until.IsZero() {
		send(leaseMetric, until.Sub(now).Seconds())
	}
	trusted := 0.
	if m.t.Store.Clock().Trusted() {
		trusted = 1
	}
	send(clockMetric, trusted)
	board := machine.Read(os.DirFS("/sys"))
	if board.Celsius != nil {
		send(celsiusMetric, *board.Celsius)
	}
	for d, v := range map[*prometheus.Desc]*uint64{throttledMetric: board.Throttled, writtenMetric: board.Written, wornMetric: board.Worn, faultsMetric: board.Faults} {
		if v != nil {
			send(d, float64(*v))
		}
	}
}

// queue counts what waits, kind by kind. The kinds are the program's own words.
func (m metrics) queue(send func(*prometheus.Desc, float64, ...string)) {
	items, err := m.t.Store.Pending(0)
	if err != nil {
		return // part_level tells of a disk that fails
	}
	kinds := map[string]int{}
	for _, it := range items {
		kinds[it.Kind]++
	}
	for kind, n := range kinds {
		send(kindMetric, float64(n), kind)
	}
}
