package export

import (
	"archive/zip"
	"bytes"
	"fmt"
	"regexp"
)

// A bundle is what the office hands over: a zip archive, itself not secret, of one sealed part for each holder, named
// HOLDER.age, and a note on how to open them.
const bundleNote = "READ-ME.txt"

var partName = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,31}\.age|READ-ME\.txt)$`)

const noteText = `Each .age file here is one part of an answer to a request for access, sealed to the key that
the request named. Open all of them with

    tillprint export open FILE --identity KEY-FILE -o FOLDER

or each with 'age --decrypt -i KEY-FILE hub.age > hub.zip' (https://age-encryption.org).
Begin with record.html in each folder.
`

// Bundle packs sealed parts.
func Bundle(parts []File) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range append(parts, File{bundleNote, []byte(noteText)}) {
		if err := pack(archive, f); err != nil {
			return nil, fmt.Errorf("packing an export: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("packing an export: %w", err)
	}
	return out.Bytes(), nil
}

// Unbundle gives the sealed parts of a bundle; a single sealed part is taken for a bundle of one, called "part.age".
func Unbundle(b []byte) ([]File, error) {
	if bytes.HasPrefix(b, []byte("age-encryption.org/")) {
		return []File{{"part.age", b}}, nil
	}
	files, err := Unpack(b, partName)
	if err != nil {
		return nil, err
	}
	var parts []File
	for _, f := range files {
		if f.Name != bundleNote {
			parts = append(parts, f)
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%w: it has no parts", ErrNotExport)
	}
	return parts, nil
}
