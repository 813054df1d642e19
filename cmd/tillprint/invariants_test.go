package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryInvariantHasATest holds the design's list of what is always true
// (section 4, I1 to I9) against the tests: each must have one that carries its
// number, TestI1..., so that nobody removes the last unseen; and one, TestI1Broken...,
// that breaks it on purpose to see the program notice.
func TestEveryInvariantHasATest(t *testing.T) {
	named := regexp.MustCompile(`(?m)^func TestI([1-9])[A-Z_]\w*\(`)
	breaks := regexp.MustCompile(`(?m)^func TestI([1-9])Broken\w*\(`)
	found, broken := map[string]string{}, map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range named.FindAllSubmatch(text, -1) {
			found[string(m[1])] = path
		}
		for _, m := range breaks.FindAllSubmatch(text, -1) {
			broken[string(m[1])] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 9; i++ {
		if found[fmt.Sprint(i)] == "" {
			t.Errorf("no test is named TestI%d...", i)
		}
		if broken[fmt.Sprint(i)] == "" {
			t.Errorf("no test is named TestI%dBroken...", i)
		}
	}
}
