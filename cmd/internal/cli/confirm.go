package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrDeclined is what a command ends with when the person at the keyboard did
// not agree.
var ErrDeclined = errors.New("nothing was changed")

// Confirm asks a question on out and reads the answer from in. Anything but
// "y" or "yes" is a no, and so is the end of the input: a script must say --yes.
func Confirm(in io.Reader, out io.Writer, question string) error {
	fmt.Fprintf(out, "%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("%w: answer y, or give --yes", ErrDeclined)
}
