// Package joinfile is the one file that tells one card from another: who the terminal is to be, written onto the card's
// first partition when it is flashed, and consumed at the first start.
//
// Deleting a file from FAT erases nothing, and whoever holds the card can read it. So the file holds no key: only a join
// code, whose token is good once and for a day, and whose pin lets the terminal know its hub. The terminal's own keys are
// drawn on the terminal, when it joins, and never leave it.
package joinfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/pelletier/go-toml/v2"

	"github.com/tillprint/tillprint/sync/register"
)

// Name is the file's name on the first partition.
const Name = "tillprint-join.toml"

// Names of the two files beside it with which a terminal joins without a network: its request, for a person to carry to the
// hub, and the hub's answer. Both are of use to this one terminal only: what is secret in the answer is sealed to it.
const (
	RequestName = "tillprint-request.json"
	AnswerName  = "tillprint-answer.json"
)

// MaxSize bounds the file, in bytes.
const MaxSize = 8 << 10

// File is what the file says.
type File struct {
	Code string `toml:"code"` // see register.JoinCode
}

const header = `# Tillprint: which terminal this card becomes at its first start. The code is good once and for a day;
# when the terminal has joined, this file is deleted. Another code from the office's page can be put here.
`

// Join reads the file's join code.
func (f File) Join() (register.JoinCode, error) { return register.ParseJoinCode(f.Code) }

// Marshal writes the file.
func (f File) Marshal() ([]byte, error) {
	if _, err := f.Join(); err != nil {
		return nil, err
	}
	text, err := toml.Marshal(f)
	return append([]byte(header), text...), err
}

// Parse reads the file; keys that it does not know are an error.
func Parse(text []byte) (File, error) {
	var f File
	if len(text) > MaxSize {
		return f, fmt.Errorf("it has more than %d bytes", MaxSize)
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		return f, fmt.Errorf("it cannot be read: %w", err)
	}
	_, err := f.Join()
	return f, err
}

// Read reads the file at path. The error is fs.ErrNotExist if there is none.
func Read(path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("reading the join file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return File{}, fmt.Errorf("reading the join file: %w", err)
	}
	f, err := Parse(text)
	if err != nil {
		return f, fmt.Errorf("the join file %s: %w; put a new one there, or flash the card again", path, err)
	}
	return f, nil
}

// Consume overwrites the file at path and deletes it. Neither erases it from a flash card; that the code in it is spent
// is what makes it harmless. A file that is gone already is no error.
func Consume(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the join file: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		_, err = file.Write(make([]byte, min(info.Size(), MaxSize)))
	}
	if err := errors.Join(err, file.Sync(), file.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("deleting the join file: %w", err)
	}
	return nil
}
