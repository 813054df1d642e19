package synth

import (
	"math"
	"math/rand/v2"

	"github.com/tillprint/tillprint/matcher/sample"
)

// Size of an impression in pixels: 18 x 20 mm of glass.
const (
	impressionWidth  = 360
	impressionHeight = 400
)

// Impression is one press of the finger, 360x400 pixels at 500 ppi, dark ridges
// on light. The seed decides everything that the conditions leave open: another
// seed is another press under like conditions.
func (m *Master) Impression(seed uint64, c Conditions) *sample.Sample {
	p := newPress(random(seed, streamPress), c.within(), m.flow.centre)
	s := sample.New(impressionWidth, impressionHeight, PPI)
	nodes := p.nodes()
	cuts := p.cuts()
	for y := range impressionHeight {
		p.row(y, m.ridges, nodes, cuts, s.Pix[y*impressionWidth:][:impressionWidth])
	}
	return s
}

// press is one press while it is drawn.
type press struct {
	c        Conditions
	r        *rand.Rand
	core     point // of the master
	drag     drag
	touch    touch
	uneven   [4]wave // of the pressure over the contact
	sin, cos float64
	scale    float64 // of the skin: pressing stretches it
	at       [3]struct{ x, y int }
	tone     [1024]uint8 // grey for how far skin lies above the glass's reach
	grain    int32       // standard deviation of the sensor's noise in grey levels
}

func newPress(r *rand.Rand, c Conditions, core point) *press {
	p := &press{c: c, r: r, core: core, drag: newDrag(r, c.Distortion), touch: newTouch(r, c.Missing)}
	p.sin, p.cos = math.Sincos(c.Rotation)
	p.scale = 1 + 0.015*c.Pressure + normal(r, 0, 0.004)
	for i := range p.uneven {
		p.uneven[i] = wave{normal(r, 0, 9), normal(r, 0, 0.02), normal(r, 0, 0.02), between(r, 0, 2*math.Pi)}
	}
	for i := range p.at {
		p.at[i].x, p.at[i].y = r.IntN(tileSide), r.IntN(tileSide)
	}
	p.grain = int32(2 + 14*c.Noise)
	p.shade(between(r, 10, 60)-25*c.Pressure, 250-90*c.Dirt)
	return p
}

// shade fills the tone curve, from the grey of the glass to that of a ridge.
func (p *press) shade(ridge, glass float64) {
	for i := range p.tone {
		height := float64(i-len(p.tone)/2) / 32
		ink := 1 / (1 + math.Exp(-height))
		p.tone[i] = uint8(math.Round(clamp(glass+(ridge-glass)*ink, 0, 255)))
	}
}

// Geometry and contact change slowly: they are worked out every gridStep pixels
// and drawn straight between.
const (
	gridStep  = 8
	gridWidth = impressionWidth/gridStep + 2
	gridRows  = impressionHeight/gridStep + 2
)

// node is what a press knows at one point of its grid.
type node struct {
	x, y  int32 // place in the master, in 1/256 pixel
	reach int32 // how far the glass reaches into the skin, height units times 256
}

func (p *press) nodes() []node {
	nodes := make([]node, gridWidth*gridRows)
	for i := range nodes {
		nodes[i] = p.node(float64(i%gridWidth*gridStep), float64(i/gridWidth*gridStep))
	}
	return nodes
}

// node follows a point of the picture back to the skin.
func (p *press) node(x, y float64) node {
	seen := point{(x - impressionWidth/2 - p.c.ShiftX) / p.scale, (y - impressionHeight/2 - p.c.ShiftY) / p.scale}
	// The skin's place under the glass: undone turn (y is down), then drag.
	skin := p.drag.at(point{p.cos*seen.x - p.sin*seen.y, p.sin*seen.x + p.cos*seen.y})
	depth := p.touch.depth(skin)
	reach := 42*p.c.Pressure + 30*p.c.Moisture - 10
	for _, w := range p.uneven {
		reach += w.amplitude * math.Sin(w.kx*skin.x+w.ky*skin.y+w.phase)
	}
	reach -= 700 * clamp(0.14-depth, 0, 1) // towards its edge the skin lifts
	return node{
		x:     int32(math.Round((skin.x + p.core.x) * 256)),
		y:     int32(math.Round((skin.y + p.core.y) * 256)),
		reach: int32(math.Round(reach * 256)),
	}
}

// between draws a node straight between two others, k of gridStep.
func (a node) between(b node, k int32) node {
	return node{
		x:     a.x + (b.x-a.x)*k/gridStep,
		y:     a.y + (b.y-a.y)*k/gridStep,
		reach: a.reach + (b.reach-a.reach)*k/gridStep,
	}
}

// row draws one line of the picture.
func (p *press) row(y int, ridges []int8, nodes []node, cuts, out []uint8) {
	upper, lower := nodes[y/gridStep*gridWidth:], nodes[(y/gridStep+1)*gridWidth:]
	down := int32(y % gridStep)
	dry, wet := int32(40*max(0, -p.c.Moisture)), int32(48*max(0, p.c.Moisture))
	rough := int32(14 + 36*p.c.Noise)
	n := noise()
	var left, right node
	for x := range out {
		k := int32(x % gridStep)
		if k == 0 {
			i := x / gridStep
			left, right = upper[i].between(lower[i], down), upper[i+1].between(lower[i+1], down)
		}
		here := left.between(right, k)
		fine := n.ridge.at(x+p.at[0].x, y+p.at[0].y)
		blotch := n.blotch.at(x+p.at[1].x, y+p.at[1].y)
		height := skinAt(ridges, here.x, here.y) + here.reach>>8
		height += fine*(rough+dry)/40 + blotch*(10+dry/2)/40
		height += max(blotch-20, 0) * wet / 24 // drops between the ridges
		height -= int32(cuts[y*impressionWidth+x])
		grey := int32(p.tone[min(max(height*5/2+int32(len(p.tone)/2), 0), int32(len(p.tone)-1))])
		grey += n.pixel.at(x+p.at[2].x, y+p.at[2].y) * p.grain / 40
		out[x] = uint8(min(max(grey, 0), 255))
	}
}

// skinAt reads the master between pixels, bilinearly; outside of it there is
// only valley.
func skinAt(ridges []int8, x, y int32) int32 {
	u, v := x>>8, y>>8
	if u < 0 || v < 0 || u >= masterWidth-1 || v >= masterHeight-1 {
		return -127
	}
	at := ridges[v*masterWidth+u:]
	fx, fy := x&255, y&255
	top := int32(at[0])*(256-fx) + int32(at[1])*fx
	bottom := int32(at[masterWidth])*(256-fx) + int32(at[masterWidth+1])*fx
	return (top*(256-fy) + bottom*fy) >> 16
}

// cuts is how deep fresh scars are at every pixel of the picture.
func (p *press) cuts() []uint8 {
	cuts := make([]uint8, impressionWidth*impressionHeight)
	for range p.c.Scars {
		x, y := between(p.r, 90, impressionWidth-90), between(p.r, 90, impressionHeight-90)
		angle, bend := between(p.r, 0, 2*math.Pi), normal(p.r, 0, 0.004)
		width := between(p.r, 1.5, 4)
		for range 30 + p.r.IntN(120) {
			stroke(cuts, x, y, width)
			angle += bend
			x, y = x+math.Cos(angle), y+math.Sin(angle)
		}
	}
	return cuts
}

// stroke sets the pixels about a point to full depth.
func stroke(cuts []uint8, x, y, width float64) {
	for v := max(0, int(y-width)); v <= min(impressionHeight-1, int(y+width)); v++ {
		for u := max(0, int(x-width)); u <= min(impressionWidth-1, int(x+width)); u++ {
			if math.Hypot(float64(u)-x, float64(v)-y) <= width {
				cuts[v*impressionWidth+u] = 255
			}
		}
	}
}
