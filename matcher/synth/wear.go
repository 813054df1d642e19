package synth

import (
	"math"
	"math/rand/v2"
)

// wear gives the skin what stays with it for life: sweat pores along the ridges
// and, on many fingers, a few creases across them.
func (m *Master) wear(r *rand.Rand) {
	for range masterWidth * masterHeight / 40 {
		x, y := r.IntN(masterWidth-2), r.IntN(masterHeight-2)
		depth := 60 + r.IntN(90)
		if m.ridges[(y+1)*masterWidth+x+1] > 110 {
			m.dig(x, y, depth)
		}
	}
	for range max(0, r.IntN(7)-2) {
		m.crease(r)
	}
}

// dig sinks a pore of three pixels' width whose top left corner is x, y.
func (m *Master) dig(x, y, depth int) {
	for v := range 3 {
		for u := range 3 {
			share := 4 >> ((u&1 ^ 1) + (v&1 ^ 1)) // middle 4, sides 2, corners 1 quarters
			at := &m.ridges[(y+v)*masterWidth+x+u]
			*at = int8(max(int(*at)-depth*share/4, -127))
		}
	}
}

// crease draws a thin valley of slowly changing direction.
func (m *Master) crease(r *rand.Rand) {
	x, y := between(r, 60, masterWidth-60), between(r, 80, masterHeight-80)
	angle, bend := between(r, 0, math.Pi), normal(r, 0, 0.003)
	width := between(r, 0.7, 1.6)
	for range 40 + r.IntN(140) {
		for v := int(y - 3); v <= int(y+3); v++ {
			for u := int(x - 3); u <= int(x+3); u++ {
				if u < 0 || v < 0 || u >= masterWidth || v >= masterHeight {
					continue
				}
				if away := math.Hypot(float64(u)-x, float64(v)-y); away < width {
					m.ridges[v*masterWidth+u] = min(m.ridges[v*masterWidth+u], int8(-100+30*away))
				}
			}
		}
		angle += bend
		x, y = x+math.Cos(angle), y+math.Sin(angle)
	}
}
