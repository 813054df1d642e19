package sample

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// File is one picture of a folder of fingerprints.
type File struct {
	Path       string
	Finger     string // what stands before the impression: one finger of one person
	Impression int    // which press of that finger, from 0
}

// extensions of the formats that Decode reads.
var extensions = []string{".tif", ".tiff", ".png", ".bmp", ".pgm"}

// ParseName splits the name of a picture into finger and impression: the last
// number is the impression, everything before its underscore the finger.
// "101_1.tif" is press 1 of finger "101", "012_10_3.tif" press 3 of "012_10".
// Folders before the name are ignored.
func ParseName(file string) (finger string, impression int, err error) {
	base := filepath.Base(file)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	at := strings.LastIndexByte(stem, '_')
	if at < 1 {
		return "", 0, fmt.Errorf("%q has no impression number: name pictures FINGER_IMPRESSION, as in 101_1.tif", base)
	}
	n, err := strconv.ParseUint(stem[at+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q does not end in an impression number: name pictures FINGER_IMPRESSION, as in 101_1.tif", base)
	}
	return stem[:at], int(n), nil
}

// List finds the pictures of a folder, sorted by finger and impression. Files
// that are no pictures by their extension, and hidden ones, are passed over; a
// picture without an impression number, two pictures of the same press, or a
// folder without any picture is an error.
func List(dir string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing fingerprint pictures: %w", err)
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || !slices.Contains(extensions, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		f := File{Path: filepath.Join(dir, e.Name())}
		if f.Finger, f.Impression, err = ParseName(e.Name()); err != nil {
			return nil, fmt.Errorf("listing %s: %w", dir, err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no fingerprint pictures: it should hold TIFF, PNG, BMP or PGM files named FINGER_IMPRESSION, as in 101_1.tif", dir)
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(naturally(a.Finger, b.Finger), cmp.Compare(a.Impression, b.Impression), cmp.Compare(a.Path, b.Path))
	})
	for i := 1; i < len(files); i++ {
		if a, b := files[i-1], files[i]; a.Finger == b.Finger && a.Impression == b.Impression {
			return nil, fmt.Errorf("%s and %s are both press %d of finger %s: keep one", a.Path, b.Path, a.Impression, a.Finger)
		}
	}
	return files, nil
}

// naturally orders "9" before "10": runs of digits compare as numbers, which
// for digits without leading zeros means by length first.
func naturally(a, b string) int {
	for i := 0; i < len(a) && i < len(b); {
		da, db := digits(a[i:]), digits(b[i:])
		if da > 0 && db > 0 && da != db {
			return cmp.Compare(da, db)
		}
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
		i++
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
