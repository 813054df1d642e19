package iso19794

import (
	"errors"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/matcher"
)

// ErrRecord marks bytes that are not a well-formed finger minutiae record.
var ErrRecord = errors.New("not an ISO/IEC 19794-2:2005 record")

// Meta is what a record says beside the minutiae. The zero value writes a
// plain record at 500 ppi.
type Meta struct {
	// Width and Height of the image in pixels of the record's resolution.
	// Zero on writing takes the template's size.
	Width, Height int

	// Resolution in pixels per centimetre, horizontal and vertical; zero
	// means 197, which is how a record says 500 ppi.
	HorizontalPPCM, VerticalPPCM uint16

	Equipment  uint16 // certifications (4 bits) and device type (12 bits); 0 unknown
	Finger     uint8  // position code 0 (unknown) to 10, table 2 of the standard
	Impression uint8  // impression type 0 to 15, table 3; 0 is live-scan plain
	Number     uint8  // view number among the views of this finger, 0 to 15

	// Extended is the extended data area as it stands after its length field,
	// but for a ridge flow at its end, which is the Template's.
	Extended []byte
}

// A View is one finger view of a record.
type View struct {
	Meta
	Template *matcher.Template
}

const (
	headerBytes  = 24
	viewBytes    = 4
	minutiaBytes = 6
	lengthBytes  = 2 // of the extended data block
	defaultPPCM  = 197
	maxViews     = 255
	maxExtended  = 1<<16 - 1
	maxSide      = 1<<14 - 1 // coordinates have 14 bits
	angleSteps   = 256
)

// scale is the factor from record pixels to pixels at 500 ppi. 197 pixels per
// centimetre is 500 ppi rounded, and is read as exactly that.
func scale(ppcm uint16) float64 {
	if ppcm == defaultPPCM {
		return 1
	}
	return matcher.PPI / (float64(ppcm) * 2.54)
}

// The resolutions that a record may state: 99 ppcm is the least of the
// standard; above 1,000 (2,540 ppi) nothing captures fingers.
const minPPCM, maxPPCM = 39, 1000

func (m *Meta) check() error {
	for _, r := range []uint16{m.HorizontalPPCM, m.VerticalPPCM} {
		if r < minPPCM || r > maxPPCM {
			return fmt.Errorf("%w: resolution %d pixels per centimetre is outside %d to %d", ErrRecord, r, minPPCM, maxPPCM)
		}
	}
	if m.Width < 1 || m.Height < 1 || m.Width > maxSide || m.Height > maxSide {
		return fmt.Errorf("%w: image size %d×%d is outside 1 to %d pixels", ErrRecord, m.Width, m.Height, maxSide)
	}
	if m.Finger > 10 || m.Impression > 15 || m.Number > 15 {
		return fmt.Errorf("%w: finger %d, impression %d or view %d is out of range", ErrRecord, m.Finger, m.Impression, m.Number)
	}
	if len(m.Extended) > maxExtended {
		return fmt.Errorf("%w: %d bytes of extended data, at most %d", ErrRecord, len(m.Extended), maxExtended)
	}
	return nil
}

// angleOf turns a record's angle byte into radians.
func angleOf(step byte) float32 { return float32(float64(step) * 2 * math.Pi / angleSteps) }
func stepOf(angle float32) byte {
	return byte(int(math.Round(float64(angle) * angleSteps / (2 * math.Pi))))
}
