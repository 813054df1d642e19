package crashtest

import (
	"path"
	"slices"
)

// Kind is what an operation does.
type Kind int

// The kinds that a trace tells apart.
const (
	Create   Kind = iota // Path becomes a new, empty file
	Mkdir                // Path becomes a folder
	Rename               // Path becomes To, replacing what was there
	Remove               // Path is gone
	Write                // Data at offset At of File
	Truncate             // File has At bytes
	Sync                 // fsync or fdatasync of File
	SyncDir              // fsync of the folder Path
	Mark                 // the program says Text
)

// Op is one operation that succeeded. Paths are relative to the recorded folder.
type Op struct {
	Kind Kind
	Path string
	To   string
	File int // number of the file in the order of creation: it stays when the file is renamed
	At   int64
	Data []byte
	Text string
}

// Trace is what a program did, in the order in which the calls returned.
type Trace struct{ Ops []Op }

// Marks are the texts of the marks, in order.
func (t *Trace) Marks() (texts []string) {
	for _, op := range t.Ops {
		if op.Kind == Mark {
			texts = append(texts, op.Text)
		}
	}
	return texts
}

// Count is the number of operations of a kind.
func (t *Trace) Count(k Kind) (n int) {
	for _, op := range t.Ops {
		if op.Kind == k {
			n++
		}
	}
	return n
}

// Without is the same program with some operations left out, such as the fsyncs of one file: a test that still finds
// nothing wrong then has found nothing out. Sync operations carry the file's first name in Path.
func (t *Trace) Without(drop func(Op) bool) *Trace {
	return &Trace{slices.DeleteFunc(slices.Clone(t.Ops), drop)}
}

// dir is the folder whose fsync makes a change of names durable.
func (op Op) dir() string { return path.Dir(op.Path) }

func (op Op) isData() bool { return op.Kind == Write || op.Kind == Truncate }

func (op Op) isName() bool { return op.Kind <= Remove }

func (op Op) isSync() bool { return op.Kind == Sync || op.Kind == SyncDir }

// flushes reports whether the fsync s makes the earlier operation op durable.
func (s Op) flushes(op Op) bool {
	switch s.Kind {
	case Sync:
		return op.isData() && op.File == s.File
	case SyncDir:
		return op.isName() && op.dir() == s.Path
	}
	return false
}
