package extract

// The filters work on a quad at a time: the pixels p and p+1 and the two below them,
// which have one direction and one period, so that each step along a line is looked
// up once for four pixels. What follows is what they do in plain Go; where the
// processor's vectors are used instead, the answer is the same (quad_test.go).

// averageFour smooths a quad along its ridges. Taps are middle first.
func averageFour(out *[4]float32, f []float32, p, stride int, taps []alongTap) {
	v := taps[0].nearWeight
	v0, v1, v2, v3 := v*f[p], v*f[p+1], v*f[p+stride], v*f[p+stride+1]
	for i := 1; i < len(taps); i++ {
		t := &taps[i]
		near, far := int(t.near), int(t.far)
		a, b := f[p+near:][:2], f[p-near:][:2]
		c, e := f[p+far:][:2], f[p-far:][:2]
		v0 += t.nearWeight*(a[0]+b[0]) + t.farWeight*(c[0]+e[0])
		v1 += t.nearWeight*(a[1]+b[1]) + t.farWeight*(c[1]+e[1])
		a, b = f[p+near+stride:][:2], f[p-near+stride:][:2]
		c, e = f[p+far+stride:][:2], f[p-far+stride:][:2]
		v2 += t.nearWeight*(a[0]+b[0]) + t.farWeight*(c[0]+e[0])
		v3 += t.nearWeight*(a[1]+b[1]) + t.farWeight*(c[1]+e[1])
	}
	*out = [4]float32{v0, v1, v2, v3}
}

// quadratureFour filters a quad across its ridges. The steps' line and the taps are
// middle first.
func quadratureFour(re, im *[4]float32, f []float32, p, stride int, steps []step, taps []acrossTap) {
	quadraturePair(re[:2], im[:2], f, p, steps, taps)
	quadraturePair(re[2:], im[2:], f, p+stride, steps, taps)
}

// quadraturePair filters the pixels at p and p+1.
func quadraturePair(re, im, f []float32, p int, steps []step, taps []acrossTap) {
	steps = steps[:len(taps)]
	re0, re1 := taps[0].even*f[p], taps[0].even*f[p+1]
	var im0, im1 float32
	for i := 1; i < len(taps); i++ {
		s, k := &steps[i], taps[i]
		near, far := int(s.near), int(s.far)
		a, b := f[p+near:][:2], f[p-near:][:2]
		c, e := f[p+far:][:2], f[p-far:][:2]
		ahead, behind := a[0]+s.share*(c[0]-a[0]), b[0]+s.share*(e[0]-b[0])
		re0 += k.even * (ahead + behind)
		im0 -= k.odd * (ahead - behind)
		ahead, behind = a[1]+s.share*(c[1]-a[1]), b[1]+s.share*(e[1]-b[1])
		re1 += k.even * (ahead + behind)
		im1 -= k.odd * (ahead - behind)
	}
	re[0], re[1], im[0], im[1] = re0, re1, im0, im1
}
