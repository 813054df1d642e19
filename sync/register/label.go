package register

import (
	"encoding/binary"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

// Purpose is what an envelope holds. It is part of what the seal binds: one kind never opens as another.
type Purpose string

const (
	PurposeTemplate Purpose = "template" // a subject's finger, from the terminal that enrolled it to another one
	PurposePerson   Purpose = "person"   // a Person record, from the hub to a terminal
	PurposePepper   Purpose = "pepper"   // the site's PIN pepper, from the hub to a terminal that joins
)

// Hub is the sender's name in envelopes that the hub makes. No terminal may have it.
const Hub = "hub"

// Label is the readable outside of an envelope. Seal and signature bind every field.
type Label struct {
	Purpose  Purpose           `json:"purpose"`
	Site     string            `json:"site"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	Subject  consent.SubjectID `json:"subject,omitempty"`
	Finger   uint8             `json:"finger,omitempty"`   // ISO/IEC 19794-2 finger position 1 to 10, or 0
	Revision uint64            `json:"revision,omitempty"` // of a person record; of a template its enrolment, Unix seconds
}

func (l *Label) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: an envelope's %s", ErrMalformed, what) }
	switch l.Purpose {
	case PurposeTemplate, PurposePerson:
		if _, err := consent.ParseSubjectID(string(l.Subject)); err != nil {
			return bad("subject")
		}
	case PurposePepper:
		if l.Subject != "" {
			return bad("subject")
		}
	default:
		return bad("purpose")
	}
	switch {
	case !ValidName(l.Site):
		return bad("site")
	case !ValidName(l.From) || (l.From == Hub) == (l.Purpose == PurposeTemplate):
		return bad("sender")
	case !ValidName(l.To) || l.To == Hub || l.To == l.From:
		return bad("recipient")
	case l.Finger > 10 || l.Finger != 0 && l.Purpose != PurposeTemplate:
		return bad("finger")
	}
	return nil
}

// bytes is the label with every part preceded by its length, so that no two labels have the same bytes.
func (l *Label) bytes() []byte {
	b := append([]byte(nil), sealInfo...)
	for _, part := range []string{string(l.Purpose), l.Site, l.From, l.To, string(l.Subject)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	b = append(b, l.Finger)
	return binary.BigEndian.AppendUint64(b, l.Revision)
}
