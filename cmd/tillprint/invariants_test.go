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
// number, TestI1..., so that nobody removes the last unseen.
func TestEveryInvariantHasATest(t *testing.T) {
	named := regexp.MustCompile(`(?m)^func TestI([1-9])[A-Z_]\w*\(`)
	found := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range named.FindAllSubmatch(text, -1) {
			found[string(m[1])] = path
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
	}
}
