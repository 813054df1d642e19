package register

import "testing"

func TestKeyFingerprint(t *testing.T) {
	a, b := KeyFingerprint("tillprint/oakfield/till-1+aa+AQ"), KeyFingerprint("tillprint/oakfield/till-2+aa+AQ")
	if len(a) != 19 || a == b {
		t.Errorf("%q and %q", a, b)
	}
}
