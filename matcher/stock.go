package matcher

import "sync"

// A stock keeps things in locked memory for the next who needs one. It never
// lets go of any, as a sync.Pool would: their memory is not the collector's to
// give back. There are as many as were ever in use at the same time.
type stock[T any] struct {
	make func() *T

	mu    sync.Mutex
	spare []*T
}

func (s *stock[T]) take() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.spare)
	if n == 0 {
		return s.make()
	}
	t := s.spare[n-1]
	s.spare = s.spare[:n-1]
	return t
}

// give takes back what its user has cleared.
func (s *stock[T]) give(t *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = append(s.spare, t)
}
