package zfmsim

import (
	"errors"
	"fmt"
	"os"
)

// Unplug pulls the module's cable: the device disappears under the host.
func (s *Sim) Unplug() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tty != nil {
		s.tty.close()
		s.tty = nil
		s.emit(Event{Kind: Unplugged})
	}
}

// Replug connects the module again, restarted, on a new pseudo-terminal: Path changes unless there is a link.
func (s *Sim) Replug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tty != nil {
		return nil
	}
	s.reset()
	s.hung = false
	if err := s.plug(); err != nil {
		return err
	}
	select {
	case s.plugged <- struct{}{}:
	default:
	}
	return nil
}

// plug opens a pseudo-terminal and points the link at it. The caller holds mu, or is alone.
func (s *Sim) plug() error {
	tty, err := openTerminal()
	if err != nil {
		return err
	}
	if link := s.options.Link; link != "" {
		next := link + ".new"
		if err := errors.Join(os.Symlink(tty.path, next), os.Rename(next, link)); err != nil {
			tty.close()
			return fmt.Errorf("linking the simulated sensor: %w", err)
		}
	}
	s.tty = tty
	return nil
}
