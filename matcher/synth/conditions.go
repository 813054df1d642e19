package synth

import "math"

// Conditions say how a finger is pressed. The zero value is an even, clean,
// upright press of a healthy finger. Values outside the stated ranges are taken
// as the nearest end.
type Conditions struct {
	Rotation       float64 // of the finger on the glass, radians counter-clockwise, -pi..pi
	ShiftX, ShiftY float64 // of the core from the middle of the picture, pixels at 500 ppi, right and down, -200..200
	Pressure       float64 // -1 barely touching .. 1 flat and broad ridges
	Moisture       float64 // -1 dry, ridges broken .. 1 wet, valleys filled
	Missing        float64 // share of the contact area that does not touch, 0..0.8
	Distortion     float64 // 0 none .. 1 skin dragged by a millimetre and turned by ten degrees
	Noise          float64 // of the sensor and of dirt, 0 none .. 1 strong
	Dirt           float64 // grey of the glass beside the finger, 0 white .. 1 dark grey
	Scars          int     // fresh cuts and plasters' edges across the ridges, 0..8
}

// RandomConditions draws the conditions of an everyday press at a till: mostly
// good, now and then wet, dry or half beside the glass.
func RandomConditions(seed uint64) Conditions {
	r := random(seed, streamConditions)
	c := Conditions{
		Rotation:   normal(r, 0, 0.14),
		ShiftX:     normal(r, 0, 12),
		ShiftY:     normal(r, 0, 14),
		Pressure:   normal(r, 0, 0.4),
		Moisture:   normal(r, 0, 0.4),
		Missing:    between(r, 0, 0.2),
		Distortion: math.Abs(normal(r, 0, 0.35)),
		Noise:      between(r, 0.1, 0.8),
		Dirt:       between(r, 0, 0.3),
	}
	if r.Float64() < 0.2 {
		c.Missing = between(r, 0.2, 0.5)
	}
	if r.Float64() < 0.15 {
		c.Scars = 1 + r.IntN(3)
	}
	return c.within()
}

// within brings every value into its range; what is no number becomes the zero
// value's.
func (c Conditions) within() Conditions {
	in := func(v *float64, lo, hi float64) {
		if math.IsNaN(*v) {
			*v = 0
		}
		*v = clamp(*v, lo, hi)
	}
	in(&c.Rotation, -math.Pi, math.Pi)
	in(&c.ShiftX, -200, 200)
	in(&c.ShiftY, -200, 200)
	in(&c.Pressure, -1, 1)
	in(&c.Moisture, -1, 1)
	in(&c.Missing, 0, 0.8)
	in(&c.Distortion, 0, 1)
	in(&c.Noise, 0, 1)
	in(&c.Dirt, 0, 1)
	c.Scars = min(max(c.Scars, 0), 8)
	return c
}
