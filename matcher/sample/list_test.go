package sample

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseName(t *testing.T) {
	cases := []struct {
		file, finger string
		impression   int
		ok           bool
	}{
		{"101_1.tif", "101", 1, true},
		{"012_10_3.tif", "012_10", 3, true},
		{"some/folder_7/9_12.PNG", "9", 12, true},
		{"x_0.pgm", "x", 0, true},
		{"101.tif", "", 0, false},
		{"101_.tif", "", 0, false},
		{"_1.tif", "", 0, false},
		{"101_one.tif", "", 0, false},
		{"101_-1.tif", "", 0, false},
		{"101_99999999999.tif", "", 0, false},
		{"", "", 0, false},
	}
	for _, c := range cases {
		finger, impression, err := ParseName(c.file)
		if finger != c.finger || impression != c.impression || (err == nil) != c.ok {
			t.Errorf("ParseName(%q) = %q, %d, %v", c.file, finger, impression, err)
		}
	}
}

func folder(t *testing.T, names ...string) string {
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestList(t *testing.T) {
	dir := folder(t, "10_1.tif", "9_10.png", "9_2.BMP", "readme.txt", ".9_3.tif", "2_1_1.pgm")
	if err := os.Mkdir(filepath.Join(dir, "8_1.tif"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []File
	for _, f := range []File{{"2_1_1.pgm", "2_1", 1}, {"9_2.BMP", "9", 2}, {"9_10.png", "9", 10}, {"10_1.tif", "10", 1}} {
		f.Path = filepath.Join(dir, f.Path)
		want = append(want, f)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestListSaysWhatIsWrong(t *testing.T) {
	cases := []struct {
		dir, says string
	}{
		{folder(t), "holds no fingerprint pictures"},
		{folder(t, "readme.txt"), "holds no fingerprint pictures"},
		{folder(t, "101_1.tif", "thumb.png"), "no impression number"},
		{folder(t, "101_1.tif", "101_1.png"), "keep one"},
		{filepath.Join(t.TempDir(), "nowhere"), "listing"},
	}
	for _, c := range cases {
		if _, err := List(c.dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want an error saying %q", err, c.says)
		}
	}
}
