package export

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"filippo.io/age"
)

// Bounds of what Open reads: exports come by mail, from anybody.
const (
	MaxSealed = 64 << 20 // bytes of one export, sealed or open
	maxFiles  = 200
)

// ErrNotExport says that a file is none that this program has sealed, or was damaged.
var ErrNotExport = errors.New("this is no export, or it was damaged on its way")

var fileName = regexp.MustCompile(`^(record\.(json|csv|html)|schema\.json|finger-[0-9]{1,2}-view-[0-9]{1,2}\.iso)$`)

// Open opens one sealed export with the recipient's age identities and returns its record and all of its files, of which
// record.json is one. The caller clears the files. The error wraps ErrNotExport for what is no export, and says so when the key
// is another one's.
func Open(sealed []byte, identities string) (*Record, []File, error) {
	keys, err := age.ParseIdentities(strings.NewReader(identities))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the age identity: %w; it is the file that 'age-keygen' made", err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), keys...)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, nil, errors.New("this export was sealed to another key than yours")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotExport, err)
	}
	plain, err := readBounded(r, MaxSealed)
	defer clear(plain)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotExport, err)
	}
	files, err := Unpack(plain, fileName)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		var record Record
		if f.Name == jsonName && json.Unmarshal(f.Data, &record) == nil && record.Format == Format {
			return &record, files, nil
		}
	}
	clearAll(files)
	return nil, nil, fmt.Errorf("%w: it has no record of this version", ErrNotExport)
}

// Unpack reads a zip archive whose files all have names that match; none lies in a folder.
func Unpack(archive []byte, names *regexp.Regexp) ([]File, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotExport, err)
	}
	var files []File
	left := MaxSealed
	for _, f := range z.File {
		if !names.MatchString(f.Name) || len(files) == maxFiles {
			clearAll(files)
			return nil, fmt.Errorf("%w: a file in it is called %.60q", ErrNotExport, f.Name)
		}
		data, err := readFile(f, left)
		if err != nil {
			clearAll(files)
			return nil, fmt.Errorf("%w: %w", ErrNotExport, err)
		}
		left -= len(data)
		files = append(files, File{f.Name, data})
	}
	return files, nil
}

func readFile(f *zip.File, most int) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readBounded(r, most)
}

func readBounded(r io.Reader, most int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err == nil && len(b) > most {
		err = fmt.Errorf("it is larger than %d bytes", MaxSealed)
	}
	return b, err
}
