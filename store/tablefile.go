package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
)

// The key table's file: magic, epoch (8 bytes, big-endian), then the sealed table. The epoch says which root key to
// ask the slot for; it is part of the associated data, so a changed one opens nothing.
const (
	tableName   = "keytable"
	recordsName = "records.db"
	tableMagic  = "TPKT\x01"
	tableHeader = len(tableMagic) + 8
	maxTable    = 32 << 20 // bytes; 200,000 subjects need 19 MB
)

func (id Identity) tableBinding(epoch uint64) []byte {
	return id.binding("tillprint key table", strconv.FormatUint(epoch, 10))
}

// writeTable makes t the key table on disk: write beside, fsync, rename, fsync of the folder. The rename is the commit
// point of every wipe. The old file's bytes may stay on the medium; they are sealed under a root key that is about
// to die, or hold nothing that the new one does not.
//
// An error that wraps durable.ErrUnsettled means that a cut may bring the old table back: see Store.settleTable.
func writeTable(dir string, id Identity, t *table, root []byte, o Options) error {
	sealed, err := seal(o.Rand, root, t.plain, id.tableBinding(t.epoch))
	if err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint64([]byte(tableMagic), t.epoch)
	if err := durable.ReplaceWith(filepath.Join(dir, tableName), append(b, sealed...), o.syncDir); err != nil {
		return fmt.Errorf("writing the key table: %w", durable.Advise(err))
	}
	return nil
}

// whatToDo ends the errors about a store that its key does not open.
const whatToDo = "put the right one back before the next start, else the terminal begins anew and the office lets it in again; tell the data protection officer (H16)"

// readTable opens the key table with the slot's key of its epoch. The root key is left in root, KeySize bytes.
func readTable(dir string, id Identity, slot keyslot.Slot, root []byte) (*table, error) {
	b, err := readBounded(filepath.Join(dir, tableName), maxTable)
	if err != nil {
		return nil, fmt.Errorf("reading the key table: %w", err)
	}
	if len(b) < tableHeader+sealedOver || string(b[:len(tableMagic)-1]) != tableMagic[:len(tableMagic)-1] {
		return nil, fmt.Errorf("%w: %s is no key table, or it is cut off: %s", ErrKey, filepath.Join(dir, tableName), whatToDo)
	}
	if b[len(tableMagic)-1] > tableMagic[len(tableMagic)-1] || b[tableHeader] > schema {
		return nil, fmt.Errorf("key table: %w: install that version again", ErrNewer)
	}
	epoch := binary.BigEndian.Uint64(b[len(tableMagic):])
	if err := slot.Key(epoch, root); err != nil {
		return nil, err
	}
	sealed := b[tableHeader:]
	p := newPage(max(1, len(sealed)-sealedOver))
	plain, err := open(p.b, root, sealed, id.tableBinding(epoch))
	if err != nil {
		p.release()
		return nil, fmt.Errorf("%w (epoch %d): the key is not the one that belongs to this store, or the table is damaged: %s", ErrKey, epoch, whatToDo)
	}
	t, err := parseTable(plain)
	if err != nil || t.epoch != epoch {
		p.release()
		return nil, fmt.Errorf("key table: %w", errTable)
	}
	t.page = p
	return t, nil
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return b, err
}
