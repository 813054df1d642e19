package sample

import "math"

// weightBits is the fixed point of the resampling weights. Whole numbers make
// the result the same on every processor.
const weightBits = 14

// Resample returns a new sample of the same print at another resolution, in
// pixels per inch. The sample must know its own PPI; ppi outside MinPPI..MaxPPI,
// or a result larger than MaxSide, gives a plain copy.
//
// Enlarging interpolates with the bicubic kernel of Keys (1981, a = -1/2);
// shrinking stretches the same kernel over the pixels that fall together, which
// averages an area and keeps fine ridges from aliasing.
func (s *Sample) Resample(ppi float64) *Sample {
	scale := ppi / s.PPI
	w, h := int(math.Round(float64(s.Width)*scale)), int(math.Round(float64(s.Height)*scale))
	if !plausiblePPI(ppi) || !plausiblePPI(s.PPI) || w == s.Width && h == s.Height || checkSize(w, h) != nil {
		c := *s
		c.Pix = append([]uint8(nil), s.Pix...)
		if plausiblePPI(ppi) && plausiblePPI(s.PPI) && checkSize(w, h) == nil {
			c.PPI = ppi
		}
		return &c
	}
	across := s.transposed(w, scale)
	defer across.Clear()
	out := across.transposed(h, scale)
	out.PPI = ppi
	return out
}

// tap says which source pixels make one result pixel: Pix[first:first+len(weights)].
type tap struct {
	first   int
	weights []int32 // sum 1<<weightBits
}

// taps of a line of from pixels resampled to `to`, pixel centres at +0.5.
func taps(from, to int, scale float64) []tap {
	reach := 2.0 // of the kernel, in source pixels
	stretch := 1.0
	if scale < 1 {
		stretch = 1 / scale
		reach *= stretch
	}
	list := make([]tap, to)
	for i := range list {
		centre := (float64(i)+0.5)/scale - 0.5
		first := max(0, int(math.Ceil(centre-reach)))
		last := min(from-1, int(math.Floor(centre+reach)))
		first = min(first, from-1)
		last = max(last, first)
		list[i] = tap{first, weigh(centre, first, last, stretch)}
	}
	return list
}

// weigh samples the kernel and scales it so that the weights add up exactly:
// what rounding leaves over goes to the heaviest.
func weigh(centre float64, first, last int, stretch float64) []int32 {
	exact := make([]float64, last-first+1)
	sum := 0.0
	for k := range exact {
		exact[k] = keys(math.Abs(float64(first+k)-centre) / stretch)
		sum += exact[k]
	}
	weights := make([]int32, len(exact))
	left, heaviest := int32(1<<weightBits), 0
	for k, e := range exact {
		if sum != 0 {
			weights[k] = int32(math.Round(e / sum * (1 << weightBits)))
		}
		left -= weights[k]
		if weights[k] > weights[heaviest] {
			heaviest = k
		}
	}
	weights[heaviest] += left
	return weights
}

// keys is the cubic convolution kernel with a = -1/2 at distance d >= 0.
func keys(d float64) float64 {
	switch {
	case d < 1:
		return (1.5*d-2.5)*d*d + 1
	case d < 2:
		return ((-0.5*d+2.5)*d-4)*d + 2
	}
	return 0
}

// transposed resamples every row to the given width and returns the result with
// rows and columns exchanged, so that two calls resample both ways.
func (s *Sample) transposed(width int, scale float64) *Sample {
	out := &Sample{Width: s.Height, Height: width, PPI: s.PPI, Pix: make([]uint8, width*s.Height)}
	list := taps(s.Width, width, scale)
	for y := range s.Height {
		row := s.Pix[y*s.Width : (y+1)*s.Width]
		for x, t := range list {
			sum := int32(1 << (weightBits - 1))
			for k, v := range row[t.first : t.first+len(t.weights)] {
				sum += t.weights[k] * int32(v)
			}
			out.Pix[x*s.Height+y] = uint8(min(max(sum>>weightBits, 0), 255))
		}
	}
	return out
}
