package zfm

import "fmt"

// Instruction is the first byte of a command. Only those that a host-side matcher needs are listed: the instructions
// that write templates, images or firmware into the module, or empty its library, have no constant and no caller here.
type Instruction byte

// Instructions of every family.
const (
	CaptureImage   Instruction = 0x01 // GenImg
	UploadImage    Instruction = 0x0A // UpImage
	SetParameter   Instruction = 0x0E // SetSysPara
	ReadParameters Instruction = 0x0F // ReadSysPara
	VerifyPassword Instruction = 0x13 // VfyPwd
	RandomNumber   Instruction = 0x14 // GetRandomCode
	WriteNotepad   Instruction = 0x18
	ReadNotepad    Instruction = 0x19
	TemplateCount  Instruction = 0x1D // TempleteNum
)

// Instructions from 0x28 up belong to families; five numbers mean different things in two of them.
const (
	CaptureImageEx  Instruction = 0x28 // R503: as 01, also tells a poor image
	CancelAuto      Instruction = 0x30 // R503, ZW
	StandBy         Instruction = 0x33 // ZW
	AuraLight       Instruction = 0x35 // R503; on a ZW the same number is ZWHandshake
	ZWHandshake     Instruction = 0x35
	CheckSensor     Instruction = 0x36 // R503, ZW
	AlgorithmName   Instruction = 0x39 // R503
	FirmwareName    Instruction = 0x3A // R503; the number has no other meaning
	ProductInfo     Instruction = 0x3C // R503; on a ZW the same number is ZWLight
	ZWLight         Instruction = 0x3C // ControlBLN
	SoftRestart     Instruction = 0x3D // R503 only; never sent to others
	R503Handshake   Instruction = 0x40
	LightOn         Instruction = 0x50 // ZFM
	LightOff        Instruction = 0x51 // ZFM
	CaptureUnlit    Instruction = 0x52 // ZFM: as 01, leaves the light alone
	Echo            Instruction = 0x53 // ZFM: answers 0x55
	echoReply       Code        = 0x55
	echoReplyClones Code        = 0x53
)

var instructionNames = map[Instruction]string{
	CaptureImage: "capture image", UploadImage: "upload image", SetParameter: "set parameter",
	ReadParameters: "read parameters", VerifyPassword: "verify password", RandomNumber: "random number",
	TemplateCount: "template count", CaptureImageEx: "capture image", CancelAuto: "cancel",
	StandBy: "stand by", AuraLight: "light or handshake", CheckSensor: "check sensor", AlgorithmName: "algorithm name",
	FirmwareName: "firmware name", ProductInfo: "product info or light", SoftRestart: "soft reset", R503Handshake: "handshake",
	LightOn: "light on", LightOff: "light off", CaptureUnlit: "capture image", Echo: "echo",
}

// String names the instruction, with its number.
func (i Instruction) String() string {
	if name, ok := instructionNames[i]; ok {
		return fmt.Sprintf("%s (%02X)", name, byte(i))
	}
	return fmt.Sprintf("instruction %02X", byte(i))
}
