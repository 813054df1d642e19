package eval

import (
	"errors"
	"fmt"
)

// ErrOptions marks options of a measurement that cannot be: a mistake of whoever
// chose them, found before anything is measured.
var ErrOptions = errors.New("impossible options")

// optionsError says which options are wrong and why.
type optionsError string

func (e optionsError) Error() string        { return string(e) }
func (e optionsError) Is(target error) bool { return target == ErrOptions }

func wrongOptions(format string, args ...any) error {
	return optionsError(fmt.Sprintf(format, args...))
}
