package crashtest

import (
	"errors"
	"hash/maphash"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Sector is what a medium writes as a whole, in bytes.
const Sector = 512

// Disk is the content of the folder: files and folders by their relative path.
type Disk struct {
	Files   map[string][]byte // not to be changed: disks share them
	Folders []string
}

// WriteTo makes dir, which is emptied first, hold the disk. Files have mode 0600, folders 0700.
func (d Disk) WriteTo(dir string) error {
	err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
	for _, name := range d.Folders {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, name), 0o700))
	}
	for name, data := range d.Files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return err
}

var seed = maphash.MakeSeed()

// hash tells disks apart, within this process.
func (d Disk) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		h.WriteString(name)
		h.WriteByte(0)
		h.Write(d.Files[name])
	}
	for _, name := range d.Folders {
		h.WriteString(name)
		h.WriteByte(1)
	}
	return h.Sum64()
}

// medium is a disk under construction. Clones and disks share contents, so that they cost two maps; only what nobody
// shares yet is changed in place.
type medium struct {
	data  map[int][]byte
	names map[string]int // path: file, or folder
	own   map[int]bool   // files whose content is this medium's alone
}

const folder = -1

func newMedium() *medium { return &medium{map[int][]byte{}, map[string]int{}, map[int]bool{}} }

func (m *medium) clone() *medium {
	clear(m.own)
	return &medium{maps.Clone(m.data), maps.Clone(m.names), map[int]bool{}}
}

// apply lets op arrive, of a write only the bytes from up to to.
func (m *medium) apply(op Op, from, to int) {
	switch op.Kind {
	case Create:
		m.names[op.Path] = op.File
	case Mkdir:
		m.names[op.Path] = folder
	case Remove:
		delete(m.names, op.Path)
	case Rename:
		if file, ok := m.names[op.Path]; ok {
			m.names[op.To] = file
			delete(m.names, op.Path)
		}
	case Truncate:
		next := make([]byte, op.At)
		copy(next, m.data[op.File])
		m.data[op.File], m.own[op.File] = next, true
	case Write:
		content := m.data[op.File]
		if size := max(len(content), int(op.At)+to); !m.own[op.File] || size > len(content) {
			content = make([]byte, size)
			copy(content, m.data[op.File])
			m.data[op.File], m.own[op.File] = content, true
		}
		copy(content[int(op.At)+from:], op.Data[from:to])
	}
}

// disk leaves out what lies in folders that did not arrive.
func (m *medium) disk() Disk {
	clear(m.own)
	d := Disk{Files: map[string][]byte{}}
	for name, file := range m.names {
		if parent := path.Dir(name); parent != "." && m.names[parent] != folder {
			continue
		}
		if file == folder {
			d.Folders = append(d.Folders, name)
		} else {
			d.Files[name] = m.data[file]
		}
	}
	slices.Sort(d.Folders)
	return d
}
