package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// branchedFile is a database whose one bucket has a branch page, and its last transaction's number.
func branchedFile(t testing.TB) (whole []byte, id uint64) {
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		id = uint64(tx.ID())
		b, err := tx.CreateBucket([]byte("many"))
		for n := 0; n < 200 && err == nil; n++ {
			err = b.Put([]byte{byte(n)}, make([]byte, 100))
		}
		return err
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if whole, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return whole, id
}

// A branch that refers to itself is an error before the database falls into it.
func TestI6PagesInACircleAreNoticed(t *testing.T) {
	whole, id := branchedFile(t)
	if err := checkTree(bytes.NewReader(whole), 4096, id); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	circles := 0
	for at := 2 * 4096; at < len(whole); at += 4096 {
		if binary.NativeEndian.Uint16(whole[at+8:]) == branchPage {
			binary.NativeEndian.PutUint64(whole[at+pageHeader+8:], uint64(at/4096))
			circles++
		}
	}
	err := checkTree(bytes.NewReader(whole), 4096, id)
	if circles == 0 || err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%d circles: %v", circles, err)
	}
}

// FuzzCheckTree reads what a card may have made of the records.
func FuzzCheckTree(f *testing.F) {
	whole, id := branchedFile(f)
	f.Add(whole, id)
	f.Add(whole[:9000], id)
	f.Fuzz(func(_ *testing.T, whole []byte, id uint64) {
		_ = checkTree(bytes.NewReader(whole), 4096, id) // it ends, without a panic
	})
}
