package flash_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tillprint/tillprint/deploy/flash"
)

// machine is a laptop with a fixed disk, a USB reader with a card, an empty one, an SD slot of its own and an eMMC.
func machine(edit func(sys, proc fstest.MapFS)) flash.System {
	sys, proc := fstest.MapFS{}, fstest.MapFS{}
	add := func(dir string, attributes ...string) {
		for i := 0; i < len(attributes); i += 2 {
			sys["block/"+dir+"/"+attributes[i]] = &fstest.MapFile{Data: []byte(attributes[i+1] + "\n")}
		}
	}
	add("nvme0n1", "size", "1000215216", "removable", "0", "ro", "0", "dev", "259:0", "device/model", "Fast Disk")
	add("nvme0n1/nvme0n1p1", "partition", "1", "size", "1000000000", "dev", "259:1")
	add("sda", "size", "62333952", "removable", "1", "ro", "0", "dev", "8:0", "device/vendor", "Generic ", "device/model", "STORAGE DEVICE  ")
	add("sda/sda1", "partition", "1", "size", "1048576", "dev", "8:1")
	add("sda/sda10", "partition", "10", "size", "2048", "dev", "8:10")
	add("sda/sda2", "partition", "2", "size", "61275136", "dev", "8:2")
	add("sdb", "size", "0", "removable", "1", "ro", "0", "dev", "8:16")
	add("mmcblk0", "size", "62333952", "removable", "0", "ro", "0", "dev", "179:0", "device/type", "SD", "device/name", "SC32G", "device/cid", "0353445343333247")
	add("mmcblk1", "size", "62333952", "removable", "0", "ro", "0", "dev", "179:8", "device/type", "MMC")
	add("loop0", "size", "100", "removable", "0", "dev", "7:0")
	proc["self/mountinfo"] = &fstest.MapFile{Data: []byte("22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n")}
	proc["swaps"] = &fstest.MapFile{Data: []byte("Filename Type Size Used Priority\n")}
	if edit != nil {
		edit(sys, proc)
	}
	return flash.System{Sys: sys, Proc: proc, Dev: "/dev"}
}

func TestDisksRefuse(t *testing.T) {
	mount := func(dev, where string) func(sys, proc fstest.MapFS) {
		return func(_, proc fstest.MapFS) {
			m := proc["self/mountinfo"]
			m.Data = append(m.Data, "40 22 "+dev+" / "+where+" rw - vfat /dev/sda1 rw\n"...)
		}
	}
	for _, c := range []struct {
		name, disk string
		edit       func(sys, proc fstest.MapFS)
		want       error
		says       string
	}{
		{"a card in a USB reader", "sda", nil, nil, ""},
		{"a card in a built-in slot", "mmcblk0", nil, nil, ""},
		{"the disk of this machine", "nvme0n1", nil, flash.ErrInUse, "nvme0n1p1 is mounted on /"},
		{"a fixed disk that is not mounted", "nvme0n1", func(_, proc fstest.MapFS) { proc["self/mountinfo"].Data = nil }, flash.ErrFixed, "built into"},
		{"soldered eMMC", "mmcblk1", nil, flash.ErrFixed, "built into"},
		{"a reader without a card", "sdb", nil, flash.ErrNoCard, "no card"},
		{"a mounted partition", "sda", mount("8:2", "/media/photos"), flash.ErrInUse, "sda2 is mounted on /media/photos"},
		{"a mounted disk without partitions", "sda", mount("8:0", "/mnt"), flash.ErrInUse, "sda is mounted on /mnt"},
		{"swap", "sda", func(_, proc fstest.MapFS) {
			proc["swaps"].Data = append(proc["swaps"].Data, "/dev/sda2 partition 30637564 0 -2\n"...)
		}, flash.ErrInUse, "used as swap"},
		{"part of a volume group", "sda", func(sys, _ fstest.MapFS) {
			sys["block/sda/sda2/holders/dm-0/dev"] = &fstest.MapFile{Data: []byte("254:0")}
		}, flash.ErrInUse, "sda2 is part of dm-0"},
		{"the lock is set", "sda", func(sys, _ fstest.MapFS) { sys["block/sda/ro"].Data = []byte("1\n") }, flash.ErrProtected, "LOCK"},
		{"a USB disk of 2 TB", "sda", func(sys, _ fstest.MapFS) { sys["block/sda/size"].Data = []byte("3907029168\n") }, flash.ErrTooLarge, "somebody's work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			disks, err := machine(c.edit).Disks()
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(disks, func(d flash.Disk) bool { return d.Name == c.disk })
			if i < 0 {
				t.Fatalf("%s is not in %v", c.disk, disks)
			}
			err = disks[i].Refuse()
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %v with %q", err, c.want, c.says)
			}
		})
	}
}

func TestDiskDescription(t *testing.T) {
	disks, err := machine(nil).Disks()
	if err != nil {
		t.Fatal(err)
	}
	if len(disks) != 5 {
		t.Fatalf("%d disks, want 5: loop devices are none", len(disks))
	}
	i := slices.IndexFunc(disks, func(d flash.Disk) bool { return d.Name == "sda" })
	d := disks[i]
	if d.Model != "Generic STORAGE DEVICE" || d.Size != 62333952*512 || len(d.Parts) != 3 || d.Parts[1].Name != "sda2" || d.Parts[2].Name != "sda10" {
		t.Fatalf("got %+v", d)
	}
}

// A kernel that does not say what is mounted must not pass for one on which nothing is.
func TestDisksWithoutMounts(t *testing.T) {
	_, err := machine(func(_, proc fstest.MapFS) { delete(proc, "self/mountinfo") }).Disks()
	if err == nil || !strings.Contains(err.Error(), "what is mounted") {
		t.Fatalf("got %v", err)
	}
}
