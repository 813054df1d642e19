package synth

import "sync"

// tileSide is the width and height of a noise tile; it repeats beyond, and is a
// power of two so that repeating is a mask.
const tileSide = 256

// tile is noise of mean 0 and a standard deviation of 40, seamless.
type tile [tileSide * tileSide]int8

// tiles hold noise of three grains, made once: alike for every press, which
// take it at different places.
type tiles struct {
	pixel  tile // no two pixels alike
	ridge  tile // as long as a ridge is broad
	blotch tile // a few ridges
}

var noise = sync.OnceValue(func() *tiles {
	t := new(tiles)
	for i, grain := range []struct {
		into  *tile
		reach int
	}{{&t.pixel, 0}, {&t.ridge, 1}, {&t.blotch, 5}} {
		grain.into.fill(uint64(i), grain.reach)
	}
	return t
})

// fill draws white noise and averages it three times over 2*reach+1 pixels both
// ways, which is close to a Gaussian.
func (t *tile) fill(seed uint64, reach int) {
	r := random(seed, 0x7469_6c65)
	plane := make([]int32, len(t))
	for i := range plane {
		for range 4 { // the sum of four even draws is nearly normal
			plane[i] += int32(r.IntN(1<<14)) - 1<<13
		}
	}
	for range 3 {
		plane = average(plane, reach, 1)
		plane = average(plane, reach, tileSide)
	}
	var sum, square int64
	for _, v := range plane {
		sum += int64(v)
	}
	mean := sum / int64(len(plane))
	for _, v := range plane {
		square += (int64(v) - mean) * (int64(v) - mean)
	}
	deviation := int64(1)
	for deviation*deviation < square/int64(len(plane)) {
		deviation++
	}
	for i, v := range plane {
		t[i] = int8(min(max((int64(v)-mean)*40/deviation, -127), 127))
	}
}

// average is the mean over reach neighbours either side, stride apart, around
// the tile's edge.
func average(plane []int32, reach, stride int) []int32 {
	out := make([]int32, len(plane))
	for i := range plane {
		line := i - i/stride%tileSide*stride // start of the line that i is in
		var sum int32
		for k := -reach; k <= reach; k++ {
			sum += plane[line+(i/stride+k+tileSide)%tileSide*stride]
		}
		out[i] = sum / int32(2*reach+1)
	}
	return out
}

// at is the noise at a place, which may lie anywhere.
func (t *tile) at(x, y int) int32 {
	return int32(t[y&(tileSide-1)*tileSide+x&(tileSide-1)])
}
