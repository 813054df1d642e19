package till

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNamesAreFoundWithoutAccents(t *testing.T) {
	for _, c := range []struct {
		name, query string
		want        bool
	}{
		{"Zoë O'Brien", "zoe obr", true},
		{"Zoë O'Brien", "OBRIEN zo", true},
		{"Łukasz Żak", "lukasz z", true},
		{"Łukasz Żak", "zak", true},
		{"Søren Müller-Großmann", "gross sor", true},
		{"Nguyễn Thị Hoa", "nguyen", true},
		{"Amina Khan 7B", "am 7b", true},
		{"Amina Khan", "mina", false},
		{"Amina Khan", "am am", false},
		{"Amina Khan", "", false},
		{"Amina Khan", "' -", false},
		{"Þóra Æsa", "thora aesa", true},
	} {
		if got := matches(fold(c.name), fold(c.query)); got != c.want {
			t.Errorf("%q by %q: %v", c.name, c.query, got)
		}
	}
}

// TestEveryNameFindsItself: whatever a name holds, typing it finds it.
func TestEveryNameFindsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := fold(rapid.String().Draw(t, "name"))
		if len(words) > 0 && !matches(words, words) {
			t.Fatalf("%q does not find itself", words)
		}
	})
}

func TestShortName(t *testing.T) {
	for name, want := range map[string]string{"": "", "Amina": "Amina", "Amina Khan": "Amina K.", "  Ana  de la  Órbigny ": "Ana Ó."} {
		if got := ShortName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
