package image_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The image that was built carries its version and the list of what is in it, the kernel module among it, and its device
// trees have clock and TPM.
func TestBuiltImage(t *testing.T) {
	folder := os.Getenv("TILLPRINT_IMAGE")
	if folder == "" {
		t.Skip("TILLPRINT_IMAGE names no folder of 'make image'; 'make boot' builds one")
	}
	need(t, "sfdisk", "unsquashfs", "mcopy", "fdtget")
	image := filepath.Join(folder, "tillprint.img")
	root := func(path string) string {
		return run(t, exec.Command("unsquashfs", "-o", strconv.Itoa(512*begin(t, image, 5)), "-cat", image, path))
	}
	version := regexp.MustCompile(`(?m)^IMAGE_VERSION=(\S+)$`).FindStringSubmatch(root("usr/lib/os-release"))
	if version == nil {
		t.Fatal("the root has no version")
	}
	var list struct {
		Metadata   struct{ Component struct{ Version string } }
		Components []struct{ Name string }
	}
	must(t, json.Unmarshal([]byte(root("usr/share/tillprint/sbom.cdx.json")), &list))
	if list.Metadata.Component.Version != version[1] {
		t.Errorf("the list is of %s, the root of %s", list.Metadata.Component.Version, version[1])
	}
	var names []string
	for _, c := range list.Components {
		names = append(names, c.Name)
	}
	for _, want := range []string{"tillprint_tryboot", "linux-image-arm64", "tillprint-terminal", "stdlib"} {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+want+" ") {
			t.Errorf("%s is not in the list", want)
		}
	}
	dir := t.TempDir()
	run(t, exec.Command("mcopy", "-i", image+"@@"+strconv.Itoa(512*begin(t, image, 2)), "::*.dtb", dir))
	trees, err := filepath.Glob(dir + "/*.dtb")
	if err != nil || len(trees) != 8 {
		t.Errorf("%d device trees, %v", len(trees), err)
	}
	for _, tree := range trees {
		if tpm := run(t, exec.Command("fdtget", tree, "/soc/spi@7e204000/tpm@1", "compatible")); !strings.HasPrefix(tpm, "infineon,slb9670") {
			t.Errorf("%s: %s", filepath.Base(tree), tpm)
		}
		if clock := run(t, exec.Command("fdtget", tree, "/soc/i2c@7e804000/rtc@68", "compatible")); clock != "maxim,ds3231" {
			t.Errorf("%s: %s", filepath.Base(tree), clock)
		}
	}
}

// begin is the first sector of a partition.
func begin(t *testing.T, image string, partition int) int {
	t.Helper()
	table := run(t, exec.Command("sfdisk", "--dump", image))
	found := regexp.MustCompile(`(?m)^\S+` + strconv.Itoa(partition) + ` : start= *(\d+)`).FindStringSubmatch(table)
	if found == nil {
		t.Fatalf("no partition %d in\n%s", partition, table)
	}
	sector, err := strconv.Atoi(found[1])
	must(t, err)
	return sector
}
