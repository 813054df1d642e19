package store

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/clock"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
)

// Create makes a new store in dir, which may exist, for a terminal that has just joined a site, with a signing key
// from Options.Seed or a new one. The folder must not hold a store yet.
func Create(dir string, slot keyslot.Slot, id Identity, o Options) (*Store, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	// The folder's own name must outlive a cut as well, else everything in it is gone.
	if err := errors.Join(os.MkdirAll(dir, 0o700), durable.SyncDir(filepath.Dir(dir))); err != nil {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	for _, name := range []string{tableName, recordsName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("creating the store: %s holds one already: open it, or set it aside first", dir)
		}
	}
	o = o.withDefaults()
	if err := createTable(dir, slot, id, o); err != nil {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	o.Seed, o.Secrets, o.create = nil, nil, true
	// A crash here leaves a table without records, which Open completes.
	return Open(dir, slot, id, o)
}

func createTable(dir string, slot keyslot.Slot, id Identity, o Options) error {
	root := newPage(keyslot.KeySize)
	defer root.release()
	if err := slot.Next(1, root.b); err != nil {
		return err
	}
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if n := copy(seed, o.Seed); o.Seed != nil && (n != len(o.Seed) || n != len(seed)) {
		return fmt.Errorf("a seed of %d bytes, %d are needed", len(o.Seed), len(seed))
	} else if n == 0 {
		if _, err := io.ReadFull(o.Rand, seed); err != nil {
			return fmt.Errorf("drawing the signing key: %w", err)
		}
	}
	secrets := maps.Clone(o.Secrets)
	if secrets == nil {
		secrets = map[string][]byte{}
	}
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	secrets[secretSigning] = seed
	none := &table{secrets: map[string][]byte{}}
	first, err := none.with(edit{epoch: 1, secrets: secrets}, o.Rand)
	if err != nil {
		return err
	}
	defer first.page.release()
	return writeTable(dir, id, first, root.b, o)
}

// Open opens the store in dir and finishes what a power cut has interrupted. With a zero Identity it takes the store's
// own. Records that are damaged, cut off or older than the key table are set aside under another name, an
// empty file takes their place, and Warnings says so: the caller then fetches everything again from sequence 0. With
// Options.Untried they are an error instead.
//
// Everything else that is wrong is an error, and nothing on disk is changed: ErrNoStore, ErrInUse, ErrNewer, ErrOther,
// ErrKey, ErrUnnamed, keyslot.ErrNoKey, or the slot's own.
func Open(dir string, slot keyslot.Slot, id Identity, o Options) (*Store, error) {
	s := &Store{dir: dir, id: id, slot: slot, o: o.withDefaults(), standings: map[consent.SubjectID]standing{}}
	if _, err := os.Lstat(filepath.Join(dir, tableName)); err != nil {
		return nil, missing(dir, err)
	}
	if err := s.openAll(); err != nil {
		s.release()
		return nil, fmt.Errorf("opening the store in %s: %w", dir, err)
	}
	s.ready, s.opened = true, s.now()
	return s, nil
}

// missing tells an empty folder from one that has lost its key table.
func missing(dir string, cause error) error {
	if _, err := os.Lstat(filepath.Join(dir, recordsName)); err == nil {
		return fmt.Errorf("opening the store: %w: %s has lost its key table (%w): %s", ErrKey, dir, cause, whatToDo)
	}
	return fmt.Errorf("%w in %s: join a hub first", ErrNoStore, dir)
}

// openAll opens the records first, since their lock keeps a second process away from everything else.
func (s *Store) openAll() error {
	doubt, err := s.openRecords()
	if err != nil {
		return err
	}
	if err := s.openTable(); err != nil {
		return err
	}
	_, err = os.Lstat(filepath.Join(s.dir, recordsName))
	s.openWitness(err == nil)
	if doubt, err = s.examineAll(doubt); err != nil {
		return err
	}
	mark, err := s.clockMark()
	if err != nil {
		return err
	}
	s.clock = clock.Open(s.o.Now, mark, s.saveClock)
	if err := s.withRoom(s.complete); durable.Full(err) { // the next change tries again; who is to be wiped is refused already
		s.warnings = append(s.warnings, err.Error())
	} else if err != nil {
		return err
	}
	return s.logStart(doubt != nil)
}

// examineAll reads all of the records, brings those of an older version to this one, and begins again where they are in doubt.
func (s *Store) examineAll(doubt error) (error, error) {
	if doubt == nil {
		doubt = s.examine()
	}
	if doubt == nil && s.version < digestVersion {
		if err := s.upgrade(); err != nil {
			return nil, err
		}
		doubt = s.examine()
	}
	if doubt != nil && s.o.Untried {
		return nil, fmt.Errorf("%w: this version is on trial and sets nothing aside; the version before it looks at them next", doubt)
	}
	if doubt != nil {
		return doubt, s.startAgain(doubt)
	}
	return nil, s.verified()
}

// logStart puts the start into the log, and sets room aside for wipes. A full card keeps nobody from opening.
func (s *Store) logStart(again bool) error {
	action := "open"
	switch {
	case s.o.create:
		action = "create"
	case again:
		action = "records-set-aside"
	}
	err := s.append(audit.Event{Kind: audit.Start, Action: s.o.told(action)})
	if durable.Full(err) { // fingers, PINs and cash need no room
		s.warnings = append(s.warnings, fmt.Sprintf("the start could not be logged: %v", err))
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.setRoomAside(); err != nil {
		s.warnings = append(s.warnings, fmt.Sprintf("no room could be set aside for wipes: %v", err))
	}
	return nil
}

// told is the action of a start or a stop: a daemon's has one word, a command's its name as well.
func (o Options) told(action string) string {
	if o.Command == "" {
		return action
	}
	return action + "/" + audit.Word(o.Command)
}

// complete is the part of the start that wipes.
func (s *Store) complete() error {
	if _, err := s.finish(); err != nil {
		return fmt.Errorf("finishing what was interrupted: %w", err)
	}
	if err := s.dropStray(); err != nil {
		return fmt.Errorf("destroying keys that were drawn for nothing: %w", err)
	}
	return nil
}

func (s *Store) openTable() (err error) {
	if s.id == (Identity{}) {
		return ErrUnnamed
	}
	s.root = newPage(keyslot.KeySize)
	if s.table, err = readTable(s.dir, s.id, s.slot, s.root.b); err != nil {
		return err
	}
	// Whatever the other place holds is the key before a commit or one that never came to be.
	if err := s.slot.Retire(s.table.epoch); err != nil {
		return fmt.Errorf("destroying the old root key: %w", err)
	}
	return s.openLog()
}

// openLog prepares the signed log.
func (s *Store) openLog() error {
	key := ed25519.NewKeyFromSeed(s.table.secrets[secretSigning])
	defer clear(key)
	vkey, err := note.NewEd25519VerifierKey(audit.Origin(s.id.Site, s.id.Terminal), key.Public().(ed25519.PublicKey))
	if err != nil {
		return fmt.Errorf("preparing the audit log: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("preparing the audit log: %w", err)
	}
	s.verifier = vkey
	s.log = &audit.Log{
		Signer: signer{verifier, s},
		Seal:   func(n int64, text []byte) ([]byte, error) { return s.sealOwn(text, "audit", strconv.FormatInt(n, 10)) },
		Open: func(n int64, sealed []byte) ([]byte, error) {
			return s.openOwn(sealed, "audit", strconv.FormatInt(n, 10))
		},
	}
	return nil
}

func (s *Store) clockMark() (time.Time, error) {
	var mark time.Time
	b, err := s.Setting(settingClock)
	if errors.Is(err, ErrNotFound) {
		return mark, nil
	}
	if err == nil {
		err = mark.UnmarshalText(b)
	}
	return mark, err
}

func (s *Store) saveClock(mark time.Time) error {
	b, err := mark.UTC().MarshalText()
	if err != nil {
		return err
	}
	return s.SetSetting(settingClock, b)
}
