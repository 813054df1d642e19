package store

import "time"

// lock begins an operation that writes. There is one at a time.
func (s *Store) lock() {
	s.writing.Lock()
	s.mu.Lock()
}

func (s *Store) unlock() {
	s.mu.Unlock()
	s.writing.Unlock()
}

// slowly runs f, which waits for the key slot, and lets readers in meanwhile: a module that takes its time, or never answers, must
// not stop PINs and names. What is in memory is then that of the last durable step; whoever is being wiped is refused already.
// f must not look at what mu guards, but for the slot itself.
func (s *Store) slowly(f func() error) error {
	if s.ready {
		s.mu.Unlock()
		defer s.mu.Lock()
	}
	begin := s.o.Now()
	err := f()
	if took := s.o.Now().Sub(begin); s.ready {
		s.took.Store(max(s.took.Load(), int64(took)))
	}
	return err
}

// SlotTook is the longest time that the key slot has taken over one step of a wipe since the start.
func (s *Store) SlotTook() time.Duration { return time.Duration(s.took.Load()) }

// SlowSlot is how long a key slot may take over one step before 'tillprint doctor' speaks of it.
const SlowSlot = 2 * time.Second
