package durable

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// advice is what helps against troubles of the card itself, to be said behind the error.
var advice = []struct {
	errno unix.Errno
	words string
}{
	{unix.ENOSPC, "the card is full: delete what does not belong on it (df -h shows how full it is), or put in a larger one"},
	{unix.EDQUOT, "this user may use no more of the card: raise its quota"},
	{unix.EROFS, "the card can only be read, perhaps because it is failing: restart the terminal, and replace the card if that does not help"},
	{unix.EIO, "the card is failing: replace it"},
}

// advised is an error that says already what to do.
type advised struct{ error }

func (a advised) Unwrap() error { return a.error }

// Advise adds to an error what to do about a card that is full, read-only or failing. Others it gives back as they are.
func Advise(err error) error {
	if errors.As(err, &advised{}) {
		return err
	}
	for _, a := range advice {
		if errors.Is(err, a.errno) {
			return advised{fmt.Errorf("%w: %s", err, a.words)}
		}
	}
	return err
}

// Full reports whether an error means that there is no room on the card.
func Full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
