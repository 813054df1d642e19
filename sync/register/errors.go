package register

import "errors"

// What can be wrong with what came over the wire. Each error of this package wraps one of them and says more. None of them
// permits anything: the terminal keeps what it has, narrowed by its dates and its lease (I4).
var (
	ErrMalformed = errors.New("malformed record")
	ErrUnsigned  = errors.New("signature missing or wrong")
	ErrSite      = errors.New("record of another site")
	ErrSequence  = errors.New("sequence not continuous") // an entry is missing, repeated or out of place
	ErrFork      = errors.New("register does not continue the known one")
	ErrRollback  = errors.New("register is shorter than the known one")
	ErrStale     = errors.New("record is older than the last one") // a replay
	ErrSealed    = errors.New("envelope does not open")
)
