package keyslot

import (
	"fmt"
	"io"
)

// Memory is a slot for tests and for tools that keep nothing: its keys end with the process, and lie on the Go heap until then.
type Memory struct {
	Rand io.Reader
	// Fault, when set, is asked before every operation ("key", "next", "retire", "destroy", "health"); its error is returned.
	Fault func(operation string) error

	places [2][]byte // seeds; nil is an empty place
}

// Key derives the key of epoch.
func (m *Memory) Key(epoch uint64, dst []byte) error {
	if err := m.fault("key"); err != nil {
		return err
	}
	seed := m.places[epoch%2]
	if seed == nil {
		return fmt.Errorf("memory slot, epoch %d: %w", epoch, ErrNoKey)
	}
	return derive(seed, epoch, dst)
}

// Next draws a fresh seed.
func (m *Memory) Next(epoch uint64, dst []byte) error {
	if err := m.fault("next"); err != nil {
		return err
	}
	seed := make([]byte, seedSize)
	if _, err := io.ReadFull(m.Rand, seed); err != nil {
		return fmt.Errorf("drawing a root key: %w", err)
	}
	clear(m.places[epoch%2])
	m.places[epoch%2] = seed
	return derive(seed, epoch, dst)
}

// Retire forgets the other seed.
func (m *Memory) Retire(epoch uint64) error {
	if err := m.fault("retire"); err != nil {
		return err
	}
	m.drop(epoch + 1)
	return nil
}

// Destroy forgets both seeds.
func (m *Memory) Destroy() error {
	if err := m.fault("destroy"); err != nil {
		return err
	}
	m.drop(0)
	m.drop(1)
	return nil
}

// Health counts the keys.
func (m *Memory) Health() (string, error) {
	n := 0
	for _, place := range m.places {
		if place != nil {
			n++
		}
	}
	return fmt.Sprintf("memory of this process, %d keys", n), m.fault("health")
}

// Promise says that nothing outlives the process.
func (m *Memory) Promise() string { return "Keys live in memory only and end with the process." }

func (m *Memory) drop(epoch uint64) {
	clear(m.places[epoch%2])
	m.places[epoch%2] = nil
}

func (m *Memory) fault(operation string) error {
	if m.Fault == nil {
		return nil
	}
	return m.Fault(operation)
}
