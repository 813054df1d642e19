package consent

import "fmt"

// Decision says what may happen to a subject's fingers. Lower is stricter, and the zero value is the strictest.
type Decision uint8

const (
	Erase  Decision = iota // nothing may be held: destroy what there is, enrol nothing
	Pause                  // keep what there is, but neither match it nor add to it
	Permit                 // enrol, load and match
)

var decisionWords = words[Decision]{"erase", "pause", "permit"}

func (d Decision) String() string                { return decisionWords.word(d) }
func (d Decision) MarshalText() ([]byte, error)  { return decisionWords.marshal("decision", d) }
func (d *Decision) UnmarshalText(b []byte) error { return decisionWords.unmarshal("decision", b, d) }

// Narrow returns the stricter of two decisions. Values that are no decision count as Erase.
func Narrow(a, b Decision) Decision {
	if a > Permit || b > Permit {
		return Erase
	}
	return min(a, b)
}

// Reason is why a decision is what it is.
type Reason struct {
	Row  string `json:"row"`  // row of the requirements, such as "A1", or section of the Act, such as "s.26(3)"
	Text string `json:"text"` // one sentence without personal data
}

// words are the texts of a small enumeration, indexed by value; an empty text means that the value has none.
type words[T ~uint8] []string

func (w words[T]) word(v T) string {
	if int(v) < len(w) && w[v] != "" {
		return w[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}

func (w words[T]) marshal(what string, v T) ([]byte, error) {
	if int(v) >= len(w) {
		return nil, fmt.Errorf("consent: %d is no %s", v, what)
	}
	return []byte(w[v]), nil
}

func (w words[T]) unmarshal(what string, b []byte, v *T) error {
	for i, s := range w {
		if s == string(b) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("consent: %.40q is no %s: use one of %q", b, what, []string(w))
}
