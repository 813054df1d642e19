package selftest

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher/extract"
)

// sensorTime bounds the search for a module: every rate at which it could listen.
const sensorTime = 30 * time.Second

// sensor finds the module, whatever the settings say of its family, and compares.
func (p Plan) sensor(ctx context.Context, f *findings) {
	if p.Port == "" {
		f.warn("Sensor", "none in the settings (sensor.port): PIN, name and cash are served")
		return
	}
	if p.Away != "" {
		f.bad("Sensor", "%s", p.Away)
		return
	}
	if p.Busy != "" {
		f.good("Sensor", "in use, not disturbed: %s", p.Busy)
		return
	}
	others := otherPorts("/dev", p.Port)
	o := p.Sensor
	o.Family = zfm.Unknown
	found, cancel := context.WithTimeout(ctx, sensorTime)
	defer cancel()
	m, err := zfm.Open(found, p.Port, o)
	if err != nil {
		f.bad("Sensor", "%v", err)
		if len(others) > 0 && (errors.Is(err, zfm.ErrNoModule) || errors.Is(err, fs.ErrNotExist)) {
			f.warn("Sensor", "there is also %s: if the sensor is on it, put that into sensor.port", strings.Join(others, " and "))
		}
		return
	}
	defer m.Close()
	p.module(ctx, m, f)
	if len(others) > 0 {
		f.warn("Sensor", "there is also %s: a second sensor on it is not used", strings.Join(others, " and "))
	}
	p.image(ctx, m, f)
}

// module says what answers on the port.
func (p Plan) module(ctx context.Context, m *zfm.Module, f *findings) {
	i := m.Info()
	name := i.Name
	if name == "" {
		name = "no name"
	}
	f.good("Sensor", "%s, family %v, answers at %d baud", name, i.Family, i.Baud)
	if p.Sensor.Family != zfm.Unknown && p.Sensor.Family != i.Family {
		f.bad("Sensor", "the settings say family %v, the module is a %v: correct sensor.family, or leave it at auto", p.Sensor.Family, i.Family)
	}
	n, err := m.TemplateCount(ctx)
	switch {
	case err != nil:
		f.warn("Sensor", "its own memory could not be asked: %v", err)
	case n > 0:
		f.warn("Sensor", "its own memory holds %d templates from elsewhere, which are never used: empty or replace the module", n)
	}
}

// image takes one image where somebody lays a finger on for it. Nobody else's finger is taken: an image is biometric data (A15).
func (p Plan) image(ctx context.Context, m *zfm.Module, f *findings) {
	if !p.Hands {
		f.good("Image", "not taken: that needs a finger of the technician's (the technician's page, or 'tillprintd selftest --hands')")
		return
	}
	p.Say("Lay a finger of yours on the sensor.")
	wait, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	if err := m.WaitFinger(wait, 100*time.Millisecond); err != nil {
		f.bad("Image", "no finger was seen: %v", err)
		return
	}
	s, timing, err := m.Scan(ctx, nil)
	if err != nil {
		f.bad("Image", "%v", err)
		return
	}
	defer s.Clear()
	e := extract.New()
	defer e.Clear()
	t, err := e.Extract(s)
	if err != nil {
		f.bad("Image", "%v; clean the glass and try again", err)
		return
	}
	defer t.Clear()
	add := f.good
	if t.Quality < p.Quality || timing.Uploads > 1 {
		add = f.warn
	}
	add("Image", "%dx%d, quality %d of 100 (%d is enough), %d ms on the wire, sent %d times", s.Width, s.Height, t.Quality, p.Quality, timing.Wire.Milliseconds(), timing.Uploads)
}

// otherPorts lists USB serial ports beside the sensor's. They are not opened: what is on them may be anybody's.
func otherPorts(dev, port string) []string {
	same, err := filepath.EvalSymlinks(port)
	if err != nil {
		same = port
	}
	var all []string
	for _, pattern := range []string{"ttyUSB*", "ttyACM*"} {
		found, _ := filepath.Glob(filepath.Join(dev, pattern)) // the pattern is right
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(path string) bool { return path == same || path == port })
}
