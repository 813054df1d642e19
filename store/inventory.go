package store

import (
	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

// Inventory says how much of what kind the store holds, and of nobody what: for the hub, which must be able to say after a theft
// what was on the card (J3), and for whoever looks after the terminal.
type Inventory struct {
	Standings int   `json:"standings"` // subjects that the register has named
	Pupils    int   `json:"pupils"`    // person records, by class
	Adults    int   `json:"adults"`    //
	Photos    int   `json:"photos"`    // person records with a photo
	PINs      int   `json:"pins"`      // person records with a PIN verifier
	Subjects  int   `json:"subjects"`  // with at least one template
	Templates int   `json:"templates"` //
	Log       int64 `json:"log"`       // records of the audit log that are there

	Queue map[string]int `json:"queue"` // items for the hub, by kind
}

// Cipher is what seals everything that a store holds (H2, J4).
const Cipher = "XChaCha20-Poly1305"

// Inventory counts. It opens every person record, which takes some 20 ms a thousand on a small board.
func (s *Store) Inventory() (Inventory, error) {
	var n Inventory
	err := s.People(func(_ consent.SubjectID, p Person) bool {
		n.addPerson(p)
		return true
	})
	if err != nil {
		return Inventory{}, err
	}
	return s.Recount(n)
}

// Recount counts everything anew but the person records, which change with the register only.
func (s *Store) Recount(n Inventory) (Inventory, error) {
	held, err := s.TemplateCount()
	if err != nil {
		return Inventory{}, err
	}
	n.Subjects, n.Templates, n.Queue = len(held), 0, map[string]int{}
	for _, templates := range held {
		n.Templates += templates
	}
	items, err := s.Pending(0)
	if err != nil {
		return Inventory{}, err
	}
	for _, it := range items {
		n.Queue[it.Kind]++
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n.Standings = len(s.standings)
	err = s.view(func(tx *bbolt.Tx) error {
		n.Log, err = s.log.Count(tx)
		return err
	})
	return n, err
}

func (n *Inventory) addPerson(p Person) {
	if p.Class == consent.Adult {
		n.Adults++
	} else {
		n.Pupils++
	}
	if len(p.Photo) > 0 {
		n.Photos++
	}
	if p.PINVerifier != "" {
		n.PINs++
	}
}
