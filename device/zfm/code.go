package zfm

import "fmt"

// Code is a confirmation code, the first byte of every acknowledgement. The list of known ones is open: any number may
// come, and 22, 23 and 24 mean different things in different families.
type Code byte

// The codes that the driver itself acts upon.
const (
	OK             Code = 0x00
	BadPacket      Code = 0x01 // the module could not read the command
	NoFinger       Code = 0x02
	CaptureFailed  Code = 0x03
	PoorImage      Code = 0x07
	WrongPassword  Code = 0x13
	NoImage        Code = 0x15
	BadRegister    Code = 0x1A
	BadPage        Code = 0x1C
	PasswordNeeded Code = 0x21
	IllegalData    Code = 0x35 // ZW: also its answer to an R503's light command
	NotSupported   Code = 0xFC // R503
	UploadFailed   Code = 0x0F
)

// codeNames holds the meanings on which the manuals agree (ZFM-20, ZFM 1.3, R503 1.2.2, AS608, ZW).
var codeNames = map[Code]string{
	OK: "ok", BadPacket: "packet not understood", NoFinger: "no finger", CaptureFailed: "capture failed",
	0x04: "too dry", 0x05: "too wet", 0x06: "too disorderly", PoorImage: "poor image",
	0x08: "fingers do not match", 0x09: "not found", 0x0A: "merge failed", 0x0B: "page out of range",
	0x0C: "template not readable", 0x0D: "template upload failed", 0x0E: "cannot receive data",
	UploadFailed: "image upload failed", 0x10: "delete failed", 0x11: "clear failed", 0x12: "cannot sleep",
	WrongPassword: "wrong password", 0x14: "reset failed", NoImage: "no valid image", 0x17: "residual finger",
	0x18: "flash error", BadRegister: "no such parameter", 0x1B: "bad parameter value", BadPage: "no such notepad page",
	0x1D: "port operation failed", 0x1E: "automatic enrolment failed", 0x1F: "library full", 0x20: "wrong address",
	PasswordNeeded: "password needed", 0x26: "timed out", 0x27: "finger already registered",
	0x29: "sensor hardware fault",
}

// familyCodeNames holds the codes whose meaning needs the family.
var familyCodeNames = map[Family]map[Code]string{
	ZFM: {0x22: "residual finger", 0x23: "no template in range", 0x24: "duplicate"},
	R503: {0x22: "template empty", 0x24: "library empty", NotSupported: "not supported", 0xFD: "hardware fault",
		0xFE: "execution failed"},
	ZW: {0x22: "template not empty", 0x23: "template empty", 0x24: "library empty", 0x25: "wrong number of presses",
		0x28: "related to another finger", 0x31: "not allowed at this encryption level", 0x32: "key locked",
		0x33: "image area too small", 0x34: "foreign object in image", IllegalData: "illegal data"},
}

// Meaning describes c as family f defines it; an unknown code is described by its number alone.
func (c Code) Meaning(f Family) string {
	name, ok := familyCodeNames[f][c]
	if !ok {
		name, ok = codeNames[c]
	}
	if !ok {
		name = "unknown code"
	}
	return fmt.Sprintf("%s (code %02X)", name, byte(c))
}

// CodeError is a command that the module answered with something other than OK.
type CodeError struct {
	Instruction Instruction
	Code        Code
	Family      Family // what was known of the module then; Unknown while it is being found
}

func (e *CodeError) Error() string {
	return fmt.Sprintf("module refused %v: %s", e.Instruction, e.Code.Meaning(e.Family))
}

// Is makes the codes that every caller meets comparable with the package's sentinels.
func (e *CodeError) Is(target error) bool {
	switch target {
	case ErrNoFinger:
		return e.Code == NoFinger
	case ErrPassword:
		return e.Code == WrongPassword || e.Code == PasswordNeeded
	case ErrUnsupported:
		return e.Code == NotSupported
	}
	return false
}
