// Package zfm drives the serial fingerprint modules that speak the EF01 protocol: ZFM-20, R305, R307, FPM10A and AS608
// (family ZFM), GROW R503 (family R503), newer Synochip and Hi-Link modules such as the R558 (family ZW).
//
// It takes images from the module, for a matcher on the host. Open finds the module at whatever rate it listens, its
// family and the size of its image; Capture or Scan look for a finger; Upload or Scan hand the image over row by row
// while it still arrives:
//
//	m, err := zfm.Open(ctx, "/dev/serial0", zfm.Options{})
//	...
//	defer m.Close()
//	finger, timing, err := m.Scan(ctx, func(y int, row []byte) { ... })
//	if errors.Is(err, zfm.ErrNoFinger) { ... }
//
// What it promises: one goroutine owns the port, and every method may be called from any goroutine. The context ends
// any call, and each command has an absolute deadline of its own. Every checksum is verified; after noise the stream is
// found again at the next packet; only commands that are safe to repeat are repeated, and a disturbed image is asked for
// again without a new press. The module's own template library is never used: no instruction that stores, deletes or
// burns has a code path here. Images are cleared from the driver's memory when they have been handed over.
//
// Sources: ZFM-20 manual 2.0, ZFM user manual 1.3 (R307 class), GROW R503 manual 1.2.2, and what field reports say of
// modules that differ from their manuals.
package zfm

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillprint/tillprint/locked"
)

// Options says what is known of a module beforehand. The zero value fits a module as delivered.
type Options struct {
	Family        Family        // Unknown finds out
	Baud          int           // rate to raise the module to; 0 means 115200; negative leaves the rate as found
	Bauds         []int         // rates at which to look for it; empty means all legal ones, the usual first
	Address       uint32        // 0 means DefaultAddress
	Password      uint32        // modules are delivered with 0
	Width, Height int           // of the image, in pixels; 0 means as the module says or its first image shows
	Reply         time.Duration // how long a simple command may take; 0 means 1 s. A capture may take three times as long
}

// probe is how long a module may take to say that it is there.
func (o Options) probe() time.Duration { return o.Reply / 5 }

// quiet is how long the line must be still before a disturbed upload counts as over.
func (o Options) quiet() time.Duration { return o.Reply / 5 }

func (o Options) withDefaults() (Options, error) {
	if o.Baud == 0 {
		o.Baud = fastBaud
	}
	if len(o.Bauds) == 0 {
		o.Bauds = searchBauds
	}
	if o.Address == 0 {
		o.Address = DefaultAddress
	}
	if o.Reply == 0 {
		o.Reply = time.Second
	}
	if (o.Width != 0 || o.Height != 0) && !geometryFor(o.Width, o.Height).valid() {
		return o, fmt.Errorf("sensor size %dx%d in the config: width and height must be %d to %d pixels and the width even: %w",
			o.Width, o.Height, sideMin, sideMax, ErrGeometry)
	}
	return o, nil
}

// Info is what is known of an open module.
type Info struct {
	Path       string
	Family     Family
	Name       string // the module's own word for its model, often empty
	Serial     string // the module's serial number, often empty
	Firmware   string // often empty
	Width      int    // of the image, in pixels; 0 until the first image when the module does not declare it
	Height     int
	PPI        float64 // pixels per inch; 0 while Width is 0
	Baud       int     // the rate in use
	NextBaud   int     // the rate after the module's next power cycle, when it was changed
	PacketSize int     // content of a data packet, in bytes
	LineErrors uint64  // answers and images that came disturbed or not at all, since Open
}

// Module is an open fingerprint module. Its methods may be called from any goroutine and are served one at a time.
type Module struct {
	jobs   chan func(*link)
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	closed chan struct{} // closed by the owner goroutine when the port is closed
	fault  error         // from closing the port; written before closed is closed
	once   sync.Once
	info   atomic.Pointer[Info]
}

// Open opens the serial port at path and finds the module on it: rate, family, parameters, image size. It raises the
// module to Options.Baud, which that keeps in its flash. The sentences of its errors are meant for the person who
// configures the terminal; ErrBusy, ErrNotSerial, ErrNoModule, ErrPassword, ErrGeometry, fs.ErrNotExist and
// fs.ErrPermission are told apart by errors.Is.
func Open(ctx context.Context, path string, o Options) (*Module, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ln, err := openLine(path, o.Bauds[0])
	if err != nil {
		return nil, err
	}
	m := &Module{jobs: make(chan func(*link)), closed: make(chan struct{})}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.info.Store(&Info{Path: path})
	go m.own(&link{line: ln, options: o, info: Info{Path: path, Family: o.Family}})
	if err := m.do(ctx, func(ctx context.Context, l *link) error { return l.start(ctx) }); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// own is the one goroutine that uses the port, until Close.
func (m *Module) own(l *link) {
	defer close(m.closed)
	defer func() {
		locked.Free(l.image)
		m.fault = l.close()
	}()
	for {
		select {
		case job := <-m.jobs:
			job(l)
		case <-m.ctx.Done():
			return
		}
	}
}

// do runs f in the goroutine that owns the port, with a context that also ends when the module is closed.
// It returns only when f has returned, so that f's callbacks never outlive the call.
func (m *Module) do(ctx context.Context, f func(context.Context, *link) error) error {
	result := make(chan error, 1)
	job := func(l *link) {
		both, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(m.ctx, cancel)()
		err := f(both, l)
		m.info.Store(l.snapshot())
		result <- err
	}
	select {
	case m.jobs <- job:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the sensor: %w", ctx.Err())
	case <-m.ctx.Done():
		return ErrClosed
	}
	err := <-result
	if err != nil && m.ctx.Err() != nil {
		return ErrClosed
	}
	return err
}

// Close ends a call under way and closes the port. Closing again does nothing.
func (m *Module) Close() error {
	m.once.Do(m.cancel)
	<-m.closed
	return m.fault
}

// Info returns what is known of the module after the last call.
func (m *Module) Info() Info { return *m.info.Load() }

// start brings a module from unknown to ready.
func (l *link) start(ctx context.Context) error {
	if err := l.find(ctx, l.options.Bauds...); err != nil {
		return err
	}
	p, err := l.readParameters(ctx)
	if err != nil {
		if !refusedOrSilent(err) {
			return err
		}
		p = asDelivered
	}
	l.parameters = p
	if l.info.Family == Unknown {
		if err := l.detect(ctx); err != nil {
			return fmt.Errorf("finding the module's family: %w", err)
		}
	}
	if l.options.Width != 0 {
		l.geometry = geometryFor(l.options.Width, l.options.Height)
	} else if l.info.Family == R503 {
		if err := l.readProduct(ctx); err != nil {
			return err
		}
	}
	if l.options.Baud > 0 {
		return l.raise(ctx, l.options.Baud)
	}
	return nil
}

func (l *link) snapshot() *Info {
	info := l.info
	info.Width, info.Height, info.PPI = l.geometry.Width, l.geometry.Height, l.geometry.PPI
	info.PacketSize = l.parameters.PacketSize
	return &info
}
