// Package config reads the daemons' configuration files.
//
// A file is TOML, read strictly: a key that the daemon doesn't know is an
// error that names the key and its line, because a misspelt "lease" must not
// silently become the default. Fill a struct with the defaults, hand it to
// Load, then let it validate itself.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// MaxSize bounds a configuration file, in bytes: nobody writes a longer one
// by hand, and a device node given by mistake must not fill the memory.
const MaxSize = 1 << 20

// Default is what an empty file means: the values in example, the commented file
// that a daemon carries. A test loads each of them.
func Default[C any](example string) (c C) {
	if err := Parse([]byte(example), &c); err != nil {
		panic("the embedded example configuration: " + err.Error())
	}
	return c
}

// Load reads the file at path over the defaults already in into, a type that
// checks itself. The error says what is wrong, in which line, and which keys exist.
func Load(path string, into interface{ Check() error }) error {
	if err := read(path, into); err != nil {
		return err
	}
	if err := into.Check(); err != nil {
		return fmt.Errorf("the configuration %s: %w", path, err)
	}
	return nil
}

func read(path string, into any) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w; give another file with --config", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return fmt.Errorf("reading the configuration %s: %w", path, err)
	}
	if len(text) > MaxSize {
		return fmt.Errorf("the configuration %s is larger than %d bytes; is it the right file?", path, MaxSize)
	}
	if err := Parse(text, into); err != nil {
		return fmt.Errorf("the configuration %s: %w", path, err)
	}
	return nil
}

// Parse reads TOML text over the defaults already in into.
func Parse(text []byte, into any) error {
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		return unknownKeys(unknown)
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, column := bad.Position()
		return fmt.Errorf("line %d, column %d: %w", line, column, bad)
	}
	return err
}

func unknownKeys(missing *toml.StrictMissingError) error {
	var lines []string
	for i := range missing.Errors {
		line, _ := missing.Errors[i].Position()
		lines = append(lines, fmt.Sprintf("line %d: there is no setting %q", line, strings.Join(missing.Errors[i].Key(), ".")))
	}
	return fmt.Errorf("%s; the command 'config example' prints every setting", strings.Join(lines, "; "))
}
