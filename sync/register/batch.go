package register

import (
	"bytes"
	"fmt"
	"math/bits"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Batch is one answer of the hub: the entries After+1 to After+len(Leaves), and a checkpoint for the tree that ends with them.
//
// On the wire it is text, one thing a line, so that an entry's bytes are exactly those that were hashed:
//
//	tillprint batch v1
//	after 3
//	frontier <base64 hash>       one for each bit set in after, largest subtree first
//	entry {"seq":4,...}
//	elided <base64 hash>         a superseded entry, only where the terminal asked for it
//
//	<signed checkpoint>
type Batch struct {
	After      uint64
	Frontier   []tlog.Hash // of the tree with After entries
	Leaves     []Leaf
	Checkpoint []byte // signed note
}

// Leaf is an entry's canonical bytes, or only its hash if the entry was superseded.
type Leaf struct {
	Entry  []byte    // nil if elided
	Elided tlog.Hash // of an elided entry
}

const batchHeader = "tillprint batch v1"

// Marshal writes the batch as it goes over the wire.
func (b *Batch) Marshal() []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, "%s\nafter %d\n", batchHeader, b.After)
	for _, h := range b.Frontier {
		fmt.Fprintf(&w, "frontier %s\n", h)
	}
	for _, l := range b.Leaves {
		if l.Entry == nil {
			fmt.Fprintf(&w, "elided %s\n", l.Elided)
			continue
		}
		fmt.Fprintf(&w, "entry %s\n", l.Entry)
	}
	w.WriteByte('\n')
	w.Write(b.Checkpoint)
	return w.Bytes()
}

// ParseBatch reads what Marshal writes. It checks form and bounds only; nothing in the batch may be used before Verify.
func ParseBatch(data []byte) (*Batch, error) {
	if len(data) > MaxBatch {
		return nil, fmt.Errorf("%w: a batch of more than %d bytes", ErrMalformed, MaxBatch)
	}
	body, checkpoint, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("%w: a batch without a checkpoint: the answer was cut short", ErrMalformed)
	}
	lines := bytes.Split(body, []byte("\n"))
	if len(lines) < 2 || string(lines[0]) != batchHeader {
		return nil, fmt.Errorf("%w: not a batch of version 1", ErrMalformed)
	}
	b := &Batch{Checkpoint: checkpoint}
	after, ok := bytes.CutPrefix(lines[1], []byte("after "))
	var err error
	if b.After, err = strconv.ParseUint(string(after), 10, 64); !ok || err != nil || b.After > maxSize {
		return nil, fmt.Errorf("%w: a batch that does not say what it comes after", ErrMalformed)
	}
	for _, line := range lines[2:] {
		if err := b.parseLine(line); err != nil {
			return nil, err
		}
	}
	if !bytes.Equal(b.Marshal(), data) {
		return nil, fmt.Errorf("%w: a batch that is not in its canonical form", ErrMalformed)
	}
	return b, nil
}

func (b *Batch) parseLine(line []byte) error {
	word, rest, _ := bytes.Cut(line, []byte(" "))
	switch string(word) {
	case "frontier":
		h, err := tlog.ParseHash(string(rest))
		if err != nil || len(b.Leaves) > 0 || len(b.Frontier) >= bits.OnesCount64(b.After) {
			return fmt.Errorf("%w: a batch's frontier", ErrMalformed)
		}
		b.Frontier = append(b.Frontier, h)
	case "entry":
		b.Leaves = append(b.Leaves, Leaf{Entry: rest})
	case "elided":
		h, err := tlog.ParseHash(string(rest))
		if err != nil {
			return fmt.Errorf("%w: the hash of an elided entry", ErrMalformed)
		}
		b.Leaves = append(b.Leaves, Leaf{Elided: h})
	default:
		return fmt.Errorf("%w: a batch with a line %.20q", ErrMalformed, word)
	}
	if len(b.Leaves) > MaxEntries {
		return fmt.Errorf("%w: a batch with more than %d entries", ErrMalformed, MaxEntries)
	}
	return nil
}

// Verify checks the batch against the last checkpoint that the terminal accepted, nil if there is none yet, and
// returns its entries and the new checkpoint. Elided entries are accepted only if elided is true.
//
// It refuses with ErrUnsigned, ErrSite, ErrRollback, ErrStale, ErrSequence, ErrFork or ErrMalformed.
func (b *Batch) Verify(site string, hub note.Verifier, last *Checkpoint, elided bool) ([]*Entry, *Checkpoint, error) {
	next, err := OpenCheckpoint(b.Checkpoint, site, hub)
	if err != nil {
		return nil, nil, err
	}
	if last == nil {
		last = new(Checkpoint)
		if last.Root, err = new(Tree).Root(); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case next.Head < last.Size:
		return nil, nil, fmt.Errorf("%w: it has %d entries, this terminal has applied %d", ErrRollback, next.Head, last.Size)
	case next.Time.Before(last.Time):
		return nil, nil, fmt.Errorf("%w: a checkpoint of %s after one of %s", ErrStale, next.Time, last.Time)
	case b.After != last.Size || next.Size != b.After+uint64(len(b.Leaves)):
		return nil, nil, fmt.Errorf("%w: entries %d to %d with a checkpoint at %d, expected to follow %d",
			ErrSequence, b.After+1, b.After+uint64(len(b.Leaves)), next.Size, last.Size)
	}
	entries, err := b.grow(last, next, elided)
	if err != nil {
		return nil, nil, err
	}
	return entries, next, nil
}

// grow appends the leaves to the tree that last names and compares with what next names.
func (b *Batch) grow(last, next *Checkpoint, elided bool) ([]*Entry, error) {
	tree := Tree{Size: b.After, Frontier: append([]tlog.Hash(nil), b.Frontier...)}
	root, err := tree.Root()
	if err != nil {
		return nil, err
	}
	if root != last.Root {
		return nil, fmt.Errorf("%w: its first %d entries are not those that this terminal has applied", ErrFork, b.After)
	}
	var entries []*Entry
	for i, l := range b.Leaves {
		if l.Entry == nil && !elided {
			return nil, fmt.Errorf("%w: entry %d was left out", ErrSequence, b.After+uint64(i)+1)
		}
		if l.Entry == nil {
			tree.appendHash(l.Elided)
			continue
		}
		e, err := ParseEntry(l.Entry)
		if err != nil {
			return nil, err
		}
		if e.Seq != tree.Size+1 {
			return nil, fmt.Errorf("%w: entry %d in the place of %d", ErrSequence, e.Seq, tree.Size+1)
		}
		tree.Append(l.Entry)
		entries = append(entries, e)
	}
	if root, err = tree.Root(); err != nil {
		return nil, err
	}
	if root != next.Root {
		return nil, fmt.Errorf("%w: the entries do not add up to the signed root at %d", ErrFork, next.Size)
	}
	return entries, nil
}
