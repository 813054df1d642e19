package flash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/partition/mbr"

	"github.com/tillprint/tillprint/deploy/joinfile"
)

// ErrNoBoot says that what was written has no place for a terminal's file.
var ErrNoBoot = errors.New("the card's first partition is no FAT32 of a terminal's image; is it an image of Tillprint?")

// Identify puts the terminal's file onto a card that has been written, and reads it back.
func Identify(card Card, f joinfile.File) error {
	text, err := f.Marshal()
	if err != nil {
		return err
	}
	boot, err := bootPartition(card)
	if err != nil {
		return err
	}
	if err := put(boot, text); err != nil {
		return explain("writing the terminal's file", err)
	}
	if err := card.Sync(); err != nil {
		return explain("writing the terminal's file", err)
	}
	if err := forget(card); err != nil {
		return explain("reading the terminal's file back", err)
	}
	if boot, err = bootPartition(card); err != nil {
		return err
	}
	got, err := boot.ReadFile(joinfile.Name)
	if err != nil {
		return explain("reading the terminal's file back", err)
	}
	if !bytes.Equal(got, text) {
		return fmt.Errorf("the terminal's file: %w", ErrWorn)
	}
	return nil
}

func bootPartition(card Card) (*fat32.FileSystem, error) {
	table, err := mbr.Read(card, sector, sector)
	if err != nil || len(table.Partitions) == 0 || table.Partitions[0].Type != mbr.Fat32LBA {
		return nil, errors.Join(ErrNoBoot, err)
	}
	p := table.Partitions[0]
	fs, err := fat32.Read(file.New(card, false), p.GetSize(), p.GetStart(), sector)
	if err != nil {
		return nil, errors.Join(ErrNoBoot, err)
	}
	return fs, nil
}

func put(boot *fat32.FileSystem, text []byte) (err error) {
	f, err := boot.OpenFile("/"+joinfile.Name, os.O_CREATE|os.O_RDWR|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, bytes.NewReader(text))
	return err
}
