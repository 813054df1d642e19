package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// Names of the files in every export, beside the templates.
const (
	jsonName   = "record.json"
	csvName    = "record.csv"
	pageName   = "record.html"
	schemaName = "schema.json"
)

const chunk = 64 << 10 // of age's

// CheckRecipient says what is wrong with an age recipient.
func CheckRecipient(recipient string) error {
	_, err := parseRecipient(recipient)
	return err
}

// parseRecipient takes one public key, and no more: each further reader of an export would be one whom nobody has checked.
func parseRecipient(recipient string) (age.Recipient, error) {
	recipient = strings.TrimSpace(recipient)
	if len(recipient) > 4<<10 || strings.ContainsAny(recipient, "\n#") {
		return nil, errors.New("an export has one recipient, one line that begins with age1")
	}
	all, err := age.ParseRecipients(strings.NewReader(recipient))
	if err != nil || len(all) != 1 {
		return nil, fmt.Errorf("%.20q is no age recipient: make a key with 'age-keygen' and give its public key, which begins with age1", recipient)
	}
	return all[0], nil
}

// Seal writes the record and the templates as a zip archive that only the order's recipient can open: the age file format.
//
// Templates go through two buffers on the Go heap, one of the archive's and one of age's. Neither keeps them (I3): ours is cleared, and
// age's, in which a chunk of 64 KiB is encrypted in place, has its final size before the first template comes, since a buffer that
// grows leaves its old self behind. So the schema, with blanks behind it, is the first file and fills the first chunk.
func (r *Record) Seal(w io.Writer, templates ...File) error {
	to, err := parseRecipient(r.Order.Recipient)
	if err != nil {
		return err
	}
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("sealing an export: %w", err)
	}
	if err := r.ownFiles(templates); err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(sealed, 4096) // the archive takes a buffer of this size for its own
	defer func() { clear(buffer.AvailableBuffer()[:buffer.Available()]) }()
	archive := zip.NewWriter(buffer)
	schema := File{schemaName, append([]byte(Schema), bytes.Repeat([]byte(" "), chunk)...)}
	for _, f := range append([]File{schema}, templates...) {
		if err := pack(archive, f); err != nil {
			return fmt.Errorf("sealing an export: %w", err)
		}
	}
	texts, err := r.texts()
	if err != nil {
		return err
	}
	for _, f := range texts {
		if err := pack(archive, f); err != nil {
			return fmt.Errorf("sealing an export: %w", err)
		}
	}
	if err := errors.Join(archive.Close(), sealed.Close()); err != nil {
		return fmt.Errorf("sealing an export: %w", err)
	}
	return nil
}

func pack(archive *zip.Writer, f File) error {
	w, err := archive.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store})
	if err == nil {
		_, err = w.Write(f.Data)
	}
	return err
}

// texts are the record in its three forms.
func (r *Record) texts() ([]File, error) {
	asJSON, err := r.json()
	if err != nil {
		return nil, err
	}
	asCSV, err := r.csv()
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, r); err != nil {
		return nil, fmt.Errorf("writing the page of an export: %w", err)
	}
	texts := []File{{jsonName, asJSON}, {csvName, asCSV}, {pageName, page.Bytes()}}
	return texts, r.alone(texts)
}
