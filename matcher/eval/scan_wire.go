package eval

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// A decision is what a scan came to, if it named somebody.
type decision struct {
	verdict matcher.Verdict
	at      time.Duration // since the first byte
	compute time.Duration
	rows    int // that had come by then
	used    int // that it was made of
}

// scan sends one image over the wire of its time.
func (p *player) scan(ctx context.Context, s *sample.Sample, finger string, enrolled bool) error {
	var clock time.Duration // when the processor is free
	var looks time.Duration
	var early decision
	took := func(work func() error) (d time.Duration, err error) {
		began := p.in.Now()
		err = work()
		d = p.in.Now().Sub(began)
		clock += d
		return d, err
	}
	e := p.extractor
	e.Begin(s.Width, s.Height, s.PPI)
	for y := range s.Height {
		clock = max(clock, p.arrival(y, s.Width))
		if _, err := took(func() error { e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width]); return nil }); err != nil {
			return err
		}
		if early.verdict.Found || !e.Ripe() || clock > p.arrival(y+1, s.Width) {
			continue
		}
		d, err := took(func() (err error) { early.verdict, err = p.judge(ctx, e.Sofar, p.o.Policy.Early()); return err })
		if err != nil {
			return err
		}
		looks += d
		p.looked++
		early.at, early.compute, early.used = clock, d, y+1
		for early.rows = y + 1; early.rows < s.Height && p.arrival(early.rows, s.Width) <= clock; early.rows++ {
		}
	}
	if early.verdict.Found { // the processor has been idle since: only the comparison goes on
		clock = p.arrival(s.Height-1, s.Width)
	}
	p.looks = append(p.looks, looks)
	whole := decision{rows: s.Height, used: s.Height}
	var err error
	whole.compute, err = took(func() (err error) { whole.verdict, err = p.judge(ctx, e.End, p.o.Policy); return err })
	whole.at = clock
	p.note(early, whole, s.Height, finger, enrolled)
	return err
}

// arrival is when row y is there: with the packet that its last byte is in. Modules
// send two pixels a byte in packets of 128 bytes by default, eleven bytes of header
// and checksum to each, ten bits a byte.
func (p *player) arrival(y, width int) time.Duration {
	const content, overhead, bits = 128, 11, 10
	packets := ((y+1)*width/2 + content - 1) / content
	return time.Duration(packets) * (content + overhead) * bits * time.Second / time.Duration(p.o.Baud)
}

// judge extracts, searches and decides. An image without a template names nobody.
func (p *player) judge(ctx context.Context, template func() (*matcher.Template, error), policy matcher.Policy) (matcher.Verdict, error) {
	t, err := template()
	if err != nil {
		return matcher.Verdict{}, nil
	}
	defer t.Clear()
	found, err := p.gallery.Identify(ctx, t, 2)
	if err != nil {
		return matcher.Verdict{}, err
	}
	return policy.Decide(found, p.gallery.Len()), nil
}
