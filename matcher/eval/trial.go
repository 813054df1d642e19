package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// A person is one subject of the measurement with the impressions of each of
// its fingers.
type person struct {
	name    string
	fingers [][]impression
}

// bySubject splits the sorted set into fingers and joins so many of them into
// each subject, named by its fingers. The last subject may have fewer.
func bySubject(set []impression, fingers int) (people []person) {
	for i := range set {
		one := &set[i]
		n := len(people)
		if i == 0 || set[i-1].finger != one.finger {
			if n == 0 || len(people[n-1].fingers) == fingers {
				people = append(people, person{})
				n++
			}
			people[n-1].fingers = append(people[n-1].fingers, nil)
		}
		p := &people[n-1]
		last := len(p.fingers) - 1
		p.fingers[last] = append(p.fingers[last], *one)
	}
	for i := range people {
		people[i].name = people[i].join()
	}
	return people
}

func (p *person) join() string {
	names := make([]string, len(p.fingers))
	for i, f := range p.fingers {
		names[i] = f[0].finger
	}
	return strings.Join(names, "+")
}

// A trial is one identification measurement under way.
type trial struct {
	policy  matcher.Policy
	now     func() time.Time
	gallery *matcher.Gallery

	own      []float64 // score of each mated search; below any threshold if not first
	others   []float64 // best score of each non-mated search
	first    int       // mated searches whose own subject came first
	found    int       // of these, accepted by the policy
	either   int       // searches accepted with this or the subject's next finger
	wrong    int       // searches in which the policy accepted somebody else
	lost     *Lost     // nil: not counted
	took     []time.Duration
	subjects []Subject
}

// crowd adds n synthetic templates, as the sensor would show them.
func (t *trial) crowd(ctx context.Context, n int, sensor *sample.Sensor) error {
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := t.gallery.Add(fmt.Sprintf("synthetic %d", i/2), uint8(1+i%2), distractor(i, sensor)); err != nil {
			return err
		}
	}
	return nil
}

func distractor(i int, sensor *sample.Sensor) *matcher.Template {
	if sensor != nil {
		return synth.TemplateOn(*sensor, uint64(i))
	}
	return synth.Template(uint64(i))
}

func (t *trial) run(ctx context.Context, people []person, enrol int, progress func(done, total int)) error {
	for i := range people {
		if err := t.enrol(&people[i], enrol); err != nil {
			return err
		}
	}
	for i := range people {
		progress(i, len(people))
		p := &people[i]
		if err := t.searchMated(ctx, p, enrol); err != nil {
			return err
		}
		t.gallery.RemoveSubject(p.name)
		if err := t.searchOthers(ctx, p, enrol); err != nil {
			return err
		}
		if err := t.enrol(p, enrol); err != nil {
			return err
		}
	}
	progress(len(people), len(people))
	if len(t.own) == 0 {
		return fmt.Errorf("every impression is enrolled, none is left to search: enrol fewer than %d", enrol)
	}
	return nil
}

// enrol adds each finger's first impressions, as many as could be extracted.
func (t *trial) enrol(p *person, n int) error {
	for i, finger := range p.fingers {
		var views []*matcher.Template
		for _, one := range finger[:min(n, len(finger))] {
			if one.reference != nil {
				views = append(views, one.reference)
			}
		}
		if len(views) == 0 {
			continue // its searches will fail, as they should
		}
		if err := t.gallery.Add(p.name, uint8(1+i), views...); err != nil {
			return err
		}
	}
	return nil
}

// searchMated looks up every press of p that is not enrolled, and notes whether
// it, or else the same press of the next finger, was found.
func (t *trial) searchMated(ctx context.Context, p *person, enrol int) error {
	s := Subject{Subject: p.name}
	found := make([][]bool, len(p.fingers))
	for i, finger := range p.fingers {
		for _, one := range finger[min(enrol, len(finger)):] {
			o, err := t.search(ctx, one, p.name)
			if err != nil {
				return err
			}
			t.mated(o)
			if t.lost != nil && one.probe != nil {
				if err := t.lost.again(ctx, t.gallery, t.policy, one.probe, p.name, o.hit && o.verdict.Found); err != nil {
					return err
				}
			}
			s.add(&o)
			found[i] = append(found[i], o.hit && o.verdict.Found)
		}
	}
	t.subjects = append(t.subjects, s)
	for i := range found {
		next := found[(i+1)%len(found)]
		for k, yes := range found[i] {
			if yes || k < len(next) && next[k] {
				t.either++
			}
		}
	}
	return nil
}

// searchOthers looks up the same presses while p is not enrolled.
func (t *trial) searchOthers(ctx context.Context, p *person, enrol int) error {
	s := &t.subjects[len(t.subjects)-1]
	for _, finger := range p.fingers {
		for _, one := range finger[min(enrol, len(finger)):] {
			o, err := t.search(ctx, one, p.name)
			if err != nil {
				return err
			}
			t.others = append(t.others, o.score)
			s.addOther(&o)
		}
	}
	return nil
}

// An answer is what one search gave.
type answer struct {
	who     string  // came first
	score   float64 // of the first
	hit     bool    // the first is the searched subject
	verdict matcher.Verdict
}

// search looks one impression up.
func (t *trial) search(ctx context.Context, one impression, name string) (answer, error) {
	var found []matcher.Candidate
	if one.probe != nil {
		began := t.now()
		var err error
		if found, err = t.gallery.Identify(ctx, one.probe, 2); err != nil {
			return answer{}, err
		}
		t.took = append(t.took, t.now().Sub(began))
	}
	o := answer{verdict: t.policy.Decide(found, t.gallery.Len())}
	if len(found) > 0 {
		o.who, o.score, o.hit = found[0].Subject, found[0].Score, found[0].Subject == name
	}
	if o.verdict.Found && !o.hit {
		t.wrong++
	}
	return o, nil
}

func (t *trial) mated(o answer) {
	if !o.hit {
		t.own = append(t.own, -1)
		return
	}
	t.own = append(t.own, o.score)
	t.first++
	if o.verdict.Found {
		t.found++
	}
}

func (t *trial) result() *IdentifyResult {
	slices.Sort(t.others)
	slices.Sort(t.own)
	n := len(t.own)
	mated := float64(n)
	rankSubjects(t.subjects)
	return &IdentifyResult{
		FNIR01:       t.fnir(0.1),
		FNIR001:      t.fnir(0.01),
		FNIR0001:     t.fnir(0.001),
		FNIR0001CI95: shareInterval(t.missed(0.001), n),
		Rank1:        float64(t.first) / mated,
		SearchMSP50:  quantile(t.took, 0.5, time.Millisecond),
		SearchMSP99:  quantile(t.took, 0.99, time.Millisecond),
		Gallery:      t.gallery.Len(),
		Mated:        n,
		NonMated:     len(t.others),
		FPIRBound:    min(1, 3/float64(len(t.others))),
		Found:        float64(t.found) / mated,
		FoundEither:  float64(t.either) / mated,
		MissedCI95:   shareInterval(n-t.found, n),
		Wrong:        t.wrong,
		Lost:         t.lost,
		Subjects:     t.subjects,
		Own:          t.own,
		Others:       t.others,
	}
}

func (t *trial) fnir(fpir float64) float64 { return float64(t.missed(fpir)) / float64(len(t.own)) }

// missed counts the mated searches that fail when a search must score above
// what all but the given share of non-mated searches reach. t.others is sorted.
func (t *trial) missed(fpir float64) (n int) {
	allowed := int(fpir * float64(len(t.others)))
	threshold := t.others[len(t.others)-1-min(allowed, len(t.others)-1)]
	for _, s := range t.own {
		if s <= threshold {
			n++
		}
	}
	return n
}
