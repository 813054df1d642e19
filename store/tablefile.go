package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

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
func writeTable(dir string, id Identity, t *table, root []byte, rand io.Reader) error {
	sealed, err := seal(rand, root, t.plain, id.tableBinding(t.epoch))
	if err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint64([]byte(tableMagic), t.epoch)
	if err := replaceFile(filepath.Join(dir, tableName), append(b, sealed...)); err != nil {
		return fmt.Errorf("writing the key table: %w", err)
	}
	return nil
}

// readTable opens the key table with the slot's key of its epoch. The root key is left in root, KeySize bytes.
func readTable(dir string, id Identity, slot keyslot.Slot, root []byte) (*table, error) {
	b, err := readBounded(filepath.Join(dir, tableName), maxTable)
	if err != nil {
		return nil, fmt.Errorf("reading the key table: %w", err)
	}
	if len(b) < tableHeader+sealedOver || string(b[:len(tableMagic)-1]) != tableMagic[:len(tableMagic)-1] {
		return nil, fmt.Errorf("%s is no key table, or it is cut off: set the store aside and join the hub again", filepath.Join(dir, tableName))
	}
	if b[len(tableMagic)-1] > tableMagic[len(tableMagic)-1] || b[tableHeader] > schema {
		return nil, fmt.Errorf("key table: %w: install that version, or set the store aside and join the hub again", ErrNewer)
	}
	epoch := binary.BigEndian.Uint64(b[len(tableMagic):])
	if err := slot.Key(epoch, root); err != nil {
		return nil, err
	}
	sealed := b[tableHeader:]
	p, err := newPage(max(1, len(sealed)-sealedOver))
	if err != nil {
		return nil, err
	}
	plain, err := open(p.b, root, sealed, id.tableBinding(epoch))
	if err != nil {
		p.release()
		return nil, fmt.Errorf("%w (epoch %d): the key file is not the one that belongs to this store, or the table is damaged; put the right one back, or set the store aside and join the hub again; tell the data protection officer (H16)", ErrKey, epoch)
	}
	t, err := parseTable(plain)
	if err != nil || t.epoch != epoch {
		p.release()
		return nil, fmt.Errorf("key table: %w", errTable)
	}
	t.page = p
	return t, nil
}

// replaceFile writes b to path so that a power cut leaves the old content or the new, never a mixture, and the new
// one once it has returned. Order: write path.new, fsync it, rename it over path, fsync the folder.
func replaceFile(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
