package register

import "slices"

// UpdateFiles are the files of an update, as its hub hands them out. The first is the release statement.
var UpdateFiles = []string{"bundle.release", "boot.img.zst", "root.img.zst"}

// MaxUpdatePart is how much of a file one request brings, in bytes.
const MaxUpdatePart = 4 << 20

// UpdateOffer is a version that the hub has staged for a terminal. It proves nothing: the files are signed with the release
// key, which no hub has, and the terminal looks at nothing else.
type UpdateOffer struct {
	Version  string `json:"version"`
	Sequence uint64 `json:"sequence"`
}

// Steps of an update at a terminal.
const (
	UpdateNone     = ""         // none is known here
	UpdateFetching = "fetching" // its files are coming, or it waits for the hours in which that may be
	UpdateReady    = "ready"    // it is here and whole, and waits to be installed
	UpdateTrial    = "trial"    // it is installed, and is being tried
	UpdateFailed   = "failed"   // Words say why
	UpdateForeign  = "foreign"  // this terminal takes its versions from elsewhere, such as a package manager
)

// UpdateState is how a terminal stands with updates.
type UpdateState struct {
	Sequence uint64 `json:"sequence,omitempty"` // of the version that runs and is committed; 0 where none is known
	Offered  uint64 `json:"offered,omitempty"`  // the version that Step is about
	Step     string `json:"step,omitempty"`
	Words    string `json:"words,omitempty"` // at most 500 bytes
}

func (u *UpdateState) plausible() bool {
	steps := []string{UpdateNone, UpdateFetching, UpdateReady, UpdateTrial, UpdateFailed, UpdateForeign}
	return u.Sequence <= 1<<62 && u.Offered <= 1<<62 && slices.Contains(steps, u.Step) && len(u.Words) <= 500
}
