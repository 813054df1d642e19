package flash

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Disk is a block device as the kernel describes it.
type Disk struct {
	Name      string // as the kernel calls it: sda, mmcblk0
	Path      string // of the device node
	Model     string // of the card or its reader, if it says
	Size      int64  // bytes; 0 for a reader without a card
	Removable bool
	ReadOnly  bool // the card's or the reader's write-protection
	Parts     []Part
	InUse     []string // why it must not be touched: what is mounted, swapped on or built on it
	Serial    string   // tells one card from the next, if the reader says
}

// Part is a partition.
type Part struct {
	Name, Path string
	Size       int64 // bytes
}

// System is where the kernel tells about disks.
type System struct {
	Sys  fs.FS  // of /sys
	Proc fs.FS  // of /proc
	Dev  string // folder of device nodes: /dev
}

// sector is the kernel's unit of sizes in /sys, whatever the disk's own.
const sector = 512

// Disks lists the disks of this machine, removable and fixed, without those that are made of files or memory.
func (s System) Disks() ([]Disk, error) {
	entries, err := fs.ReadDir(s.Sys, "block")
	if err != nil {
		return nil, fmt.Errorf("listing the disks: %w", err)
	}
	used, err := s.used()
	if err != nil {
		return nil, err
	}
	var all []Disk
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, "loop") && !strings.HasPrefix(name, "ram") && !strings.HasPrefix(name, "zram") {
			all = append(all, s.disk(name, used))
		}
	}
	return all, nil
}

func (s System) disk(name string, used map[string]string) Disk {
	dir := path.Join("block", name)
	d := Disk{
		Name: name, Path: path.Join(s.Dev, name), Size: sector * s.number(dir, "size"), ReadOnly: s.number(dir, "ro") == 1,
		Model:  strings.TrimSpace(s.text(dir, "device/vendor") + " " + s.text(dir, "device/model") + s.text(dir, "device/name")),
		Serial: s.text(dir, "device/cid") + s.text(dir, "device/serial"),
	}
	// A card in a reader on the PCI bus is no removable medium to the kernel, but says that it is an SD card; an
	// eMMC, which is soldered, says MMC.
	d.Removable = s.number(dir, "removable") == 1 || s.text(dir, "device/type") == "SD"
	d.claim(s, dir, used)
	entries, _ := fs.ReadDir(s.Sys, dir) // a card pulled meanwhile has no partitions left
	for _, e := range entries {
		part := path.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), name) && s.text(part, "partition") != "" {
			d.Parts = append(d.Parts, Part{e.Name(), path.Join(s.Dev, e.Name()), sector * s.number(part, "size")})
			d.claim(s, part, used)
		}
	}
	slices.SortFunc(d.Parts, func(a, b Part) int {
		return int(s.number(path.Join(dir, a.Name), "partition") - s.number(path.Join(dir, b.Name), "partition"))
	})
	return d
}

// claim notes what a disk or a partition is in use for.
func (d *Disk) claim(s System, dir string, used map[string]string) {
	if use := used[s.text(dir, "dev")]; use != "" {
		d.InUse = append(d.InUse, path.Base(dir)+" is mounted on "+use)
	}
	if use := used["/dev/"+path.Base(dir)]; use != "" {
		d.InUse = append(d.InUse, path.Base(dir)+" is "+use)
	}
	holders, _ := fs.ReadDir(s.Sys, path.Join(dir, "holders")) // no folder, no holders
	for _, h := range holders {
		d.InUse = append(d.InUse, path.Base(dir)+" is part of "+h.Name())
	}
}

// used maps device numbers to what is mounted from them, and device nodes to swap.
func (s System) used() (map[string]string, error) {
	used := make(map[string]string)
	err := s.lines("self/mountinfo", func(f []string) {
		if len(f) > 4 {
			used[f[2]] = f[4]
		}
	})
	if err != nil {
		return nil, fmt.Errorf("finding out what is mounted: %w", err)
	}
	err = s.lines("swaps", func(f []string) {
		if strings.HasPrefix(f[0], "/dev/") {
			used[f[0]] = "used as swap"
		}
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without swap has no list
		return nil, fmt.Errorf("finding out what is swapped on: %w", err)
	}
	return used, nil
}

func (s System) lines(name string, do func(fields []string)) error {
	file, err := s.Proc.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, 16<<20))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) > 0 {
			do(f)
		}
	}
	return lines.Err()
}

// text is the attribute's value, or "" if there is none.
func (s System) text(dir, attribute string) string {
	b, _ := fs.ReadFile(s.Sys, path.Join(dir, attribute))
	return strings.TrimSpace(string(b))
}

func (s System) number(dir, attribute string) int64 {
	n, _ := strconv.ParseInt(s.text(dir, attribute), 10, 64)
	return n
}
