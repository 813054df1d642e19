package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/sync/register"
)

// labelOf is the label of a card that has not joined yet.
func labelOf(c register.JoinCode) flash.Label {
	return flash.Label{Site: c.Site, Name: cmp.Or(c.Name, "terminal"), What: "join", Fingerprint: c.Fingerprint()}
}

func writeLabel(path string, label flash.Label) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("writing the label: %w", err)
	}
	defer closing(file, &err)
	return label.WritePNG(file)
}
