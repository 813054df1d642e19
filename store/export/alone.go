package export

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/tillprint/tillprint/consent"
)

// ErrNotAlone says that an export would have told of somebody else (I8). Nothing is sealed then.
var ErrNotAlone = errors.New("the export speaks of somebody else, so it was not made: correct what was written on the subject's page, or ask the maker")

var pseudonym = regexp.MustCompile(`p_[a-z2-7]{26}`)

// alone looks at the finished texts once more, just before they are sealed: whatever went wrong in gathering them, they name
// one subject.
func (r *Record) alone(texts []File) error {
	for _, f := range texts {
		for _, found := range pseudonym.FindAll(f.Data, -1) {
			if consent.SubjectID(found) != r.Subject {
				return fmt.Errorf("%w (in %s)", ErrNotAlone, f.Name)
			}
		}
	}
	return nil
}

// ownFiles wants exactly the templates that the record describes.
func (r *Record) ownFiles(templates []File) error {
	described := map[string]bool{}
	for _, t := range r.Templates {
		described[t.File] = true
	}
	if r.Order.Subject != r.Subject || len(described) != len(templates) {
		return ErrNotAlone
	}
	for _, f := range templates {
		if !described[f.Name] {
			return fmt.Errorf("%w (in %s)", ErrNotAlone, f.Name)
		}
	}
	return nil
}
