package custody_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// D3, A2, A14: a terminal boots again and again with whatever its clock says, years too early or too late, with a hub that
// tells the time now and then. Nobody whose day has come, as far as the hub has ever said, is matched again; nobody is
// wiped whose day has not truly come.
func TestD3ClocksThatJumpNeitherPermitNorForgetASchool(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := newDesk(t)
		ends := map[consent.SubjectID]consent.Date{}
		for i := range 12 {
			on := consent.DateOf(noon).AddDays(1 + i*20)
			row := []string{"A2", "A14", "D3"}[i%3]
			ends[d.enrolled(consent.End{On: on, Decision: consent.Erase, Row: row})] = on
		}
		truth, told := noon, noon // the true time, and the latest that the hub has told
		for range 10 {
			truth = truth.Add(time.Duration(r.Int64N(int64(20 * 24 * time.Hour))))
			wrong := time.Duration(r.Int64N(int64(8*365*24*time.Hour))) - 4*365*24*time.Hour
			if r.IntN(4) == 0 {
				wrong = time.Duration(r.Int64N(int64(90 * 24 * time.Hour))) // wrong, and not unlikely
			}
			d.restartAt(truth.Add(wrong))
			if r.IntN(2) == 0 {
				d.must(d.st.Clock().Witness(truth))
				told = truth
			}
			_, err := d.c.Sweep(context.Background())
			d.must(err)
			for id, on := range ends {
				if on.Reached(told) && d.g.Has(string(id)) {
					t.Fatalf("seed %d: matched after %s, which the hub's %s has passed", seed, on, told)
				}
				if ok, _ := d.c.Permitted(id, d.st.Now()); ok && on.Reached(told) {
					t.Fatalf("seed %d: permitted after %s", seed, on)
				}
				if !d.st.HasFingerKey(id) && !on.Reached(truth) {
					t.Fatalf("seed %d: wiped before %s, at %s, by a clock at %s", seed, on, truth, d.now)
				}
				if d.st.HasFingerKey(id) && on.Reached(told) {
					t.Fatalf("seed %d: held after %s, which the hub's %s has passed", seed, on, told)
				}
			}
			d.wantSound()
		}
	}
}
