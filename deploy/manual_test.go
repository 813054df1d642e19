// Package deploy_test holds the technician's manual against what it describes.
package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/deploy/test/source"
)

// Every part that the health bar can show, and every heading of the operator's and the pupil's page, stands in the manual.
func TestManualKnowsEveryLamp(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	parts := source.Fields(t, "Lamp", "Part", "../till", "../cmd/internal/terminald")
	if len(parts) < 10 {
		t.Fatalf("only %q are found in the source", parts)
	}
	for _, part := range parts {
		if !strings.Contains(manual, "\n| "+part+" | ") {
			t.Errorf("the manual has no row for the part %s of the health bar", part)
		}
	}
	// The technician's pages explain themselves.
	for _, page := range []string{"operator.html", "pupil.html", "parts.html", "enrolment.html"} {
		html, err := os.ReadFile(filepath.Join("../till/web/templates", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`<h[12][^>]*>([^<{]+)`).FindAllSubmatch(html, -1) {
			if heading := strings.TrimSpace(string(found[1])); !strings.Contains(strings.ReplaceAll(manual, "\n", " "), heading) {
				t.Errorf("the manual does not say what %q on %s means", heading, page)
			}
		}
	}
}
