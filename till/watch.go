package till

import (
	"hash/maphash"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
)

// judgement looks at the finger as far as it has come and says whether that is
// enough to decide.
type judgement func(*matcher.Template) bool

// watch works on an image's rows beside the goroutine that reads the wire, so that
// neither extraction nor search ever makes a byte late.
type watch struct {
	bench  *bench
	info   zfm.Info
	judge  judgement // nil: only the whole image counts
	enough func()    // called once judge has had enough

	rows chan arrived
	done chan struct{} // closed when the work on the rows is over

	// Written by the worker, read after done.
	early *matcher.Template // what judge had enough of; owned by whoever waited for done
	used  int               // rows that early is made of
	at    time.Time         // when the last of them came

	// Owned by the goroutine that reads the wire.
	hash  maphash.Hash
	trace trace
	last  time.Time // when the last row came
}

type arrived struct {
	y      int
	pixels []byte // the worker's, who frees it
	at     time.Time
}

// rowsWaiting is how many rows may wait for the worker before the wire does: more
// than any image has.
const rowsWaiting = 1024

func (r *reader) watch(b *bench, judge judgement, enough func()) *watch {
	w := &watch{bench: b, info: b.scanner.Info(), judge: judge, enough: enough,
		rows: make(chan arrived, rowsWaiting), done: make(chan struct{}), last: time.Now()}
	w.hash.SetSeed(r.seed)
	go w.work()
	return w
}

// row takes a row from the wire. A disturbed image begins again at row 0.
func (w *watch) row(y int, pixels []byte) {
	w.last = time.Now()
	if y == 0 {
		w.hash.Reset()
		w.trace = w.trace[:0]
	}
	w.hash.Write(pixels)
	if (y+1)%traceRows == 0 {
		w.trace = append(w.trace, w.hash.Sum64())
	}
	if w.info.Width > 0 {
		own := locked.Make[byte](len(pixels))
		copy(own, pixels)
		w.rows <- arrived{y, own, w.last}
	}
}

// end says that no more rows will come and waits until those that came are worked on.
func (w *watch) end() {
	close(w.rows)
	<-w.done
}

// work hands rows to the extractor. It looks at what has come only when no row is
// waiting: a slow machine looks less often, and is never late for the end.
func (w *watch) work() {
	locked.Scrub()
	defer close(w.done)
	defer locked.Scrub()
	for row := range w.rows {
		if w.early == nil {
			w.extract(row)
		}
		locked.Free(row.pixels)
	}
}

func (w *watch) extract(row arrived) {
	e := w.bench.extractor
	if row.y == 0 {
		e.Begin(w.info.Width, w.info.Height, w.info.PPI)
	}
	e.Row(row.y, row.pixels)
	if w.judge == nil || len(w.rows) > 0 || !e.Ripe() {
		return
	}
	t, err := e.Sofar()
	if err != nil {
		return // too little as yet; the end will tell
	}
	if !w.judge(t) {
		t.Clear()
		return
	}
	w.early, w.used, w.at = t, row.y+1, row.at
	w.enough()
}

// A trace tells a picture by keyed hashes of ever more of its rows, from the first
// on: nothing can be made of them. What has been seen of a picture up to some row can
// thus be told from all or a part of another.
type trace []uint64

// traceRows is how many rows lie between two hashes. The sizes of all known modules
// but one are multiples; of that one the last four rows do not count.
const traceRows = 16

// begins reports whether one of two pictures is bit for bit the other's beginning.
func (t trace) begins(other trace) bool {
	n := min(len(t), len(other))
	return n > 0 && t[n-1] == other[n-1]
}
