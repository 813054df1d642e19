package zfm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// NotepadPage is one page of the module's notepad, a small memory for the host's own use.
type NotepadPage [32]byte

// ReadNotepad reads a page: 0 to 15, on a ZW 0 to 3.
func (m *Module) ReadNotepad(ctx context.Context, page int) (p NotepadPage, err error) {
	err = m.do(ctx, func(ctx context.Context, l *link) error {
		p, err = l.readNotepad(ctx, page)
		return err
	})
	return p, err
}

// WriteNotepad writes a page into the module's flash, which endures only so many writes. Never put anything personal
// or secret there. If the acknowledgement is lost, the page is read back instead of being written again.
func (m *Module) WriteNotepad(ctx context.Context, page int, p NotepadPage) error {
	return m.do(ctx, func(ctx context.Context, l *link) error {
		if err := l.checkPage(page); err != nil {
			return err
		}
		_, err := l.exchange(ctx, command{code: WriteNotepad, parameters: append([]byte{byte(page)}, p[:]...)})
		if !errors.Is(err, ErrLine) {
			return err
		}
		stored, readErr := l.readNotepad(ctx, page)
		if readErr != nil || !bytes.Equal(stored[:], p[:]) {
			return errors.Join(err, readErr)
		}
		return nil
	})
}

func (l *link) readNotepad(ctx context.Context, page int) (p NotepadPage, err error) {
	if err := l.checkPage(page); err != nil {
		return p, err
	}
	b, err := l.exchange(ctx, command{code: ReadNotepad, parameters: []byte{byte(page)}, reply: len(p), repeatable: true})
	copy(p[:], b)
	return p, err
}

func (l *link) checkPage(page int) error {
	pages := 16
	if l.info.Family == ZW {
		pages = 4
	}
	if page < 0 || page >= pages {
		return fmt.Errorf("notepad page %d: a %v module has pages 0 to %d: %w", page, l.info.Family, pages-1, ErrUnsupported)
	}
	return nil
}
