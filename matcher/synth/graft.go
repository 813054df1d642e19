package synth

import "github.com/tillprint/tillprint/matcher"

// Graft is one more of the crowd, made of two fingers of Template in a hundredth
// of the time: the upper part of a on the lower part of b, cut about the middle,
// each minutia shaken a little. Whoever is neither a nor b is as strange to it as
// to them; to a and b it is half alike, so search for fingers that it is not
// made of. It is as large as a, and a and b are left as they are.
func Graft(a, b *matcher.Template, seed uint64) *matcher.Template {
	r := random(seed, streamGraft)
	out := &matcher.Template{Width: a.Width, Height: a.Height, Quality: a.Quality}
	cut := float64(a.Height)/2 + normal(r, 0, 25)
	shift := point{normal(r, 0, 8), normal(r, 0, 8)}
	for _, of := range []*matcher.Template{a, b} {
		for _, m := range of.Minutiae {
			if (float64(m.Y) < cut) != (of == a) {
				continue
			}
			x, y := float64(m.X)+shift.x+normal(r, 0, 1.5), float64(m.Y)+shift.y+normal(r, 0, 1.5)
			put(out, x, y, float64(m.Angle)+normal(r, 0, 0.05), m.Kind, m.Quality)
		}
	}
	return out
}
