package boot_test

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tillprint/tillprint/sync/register"
)

// staged has the hub bring a new version: the terminal fetches it, its units write it and ask for the start on trial, it serves,
// and the hub hears that it is committed.
func staged(g *guest, s *school) {
	before := s.status(g.on).Update.Sequence
	bundle := filepath.Join(g.images, "next", "bundle")
	words := run(g.t, s.dir, s.program, "update", "add", bundle, "--key", filepath.Join(g.images, "release.key.pub"), "-c", "hub.toml")
	version, _, _ := strings.Cut(strings.TrimPrefix(words, "version "), " ")
	run(g.t, s.dir, s.program, "update", "stage", version, "--site", site, "-c", "hub.toml")
	g.until("the version being fetched", func() bool { return s.status(g.on).Update.Step == register.UpdateFetching })
	g.step("the terminal fetches what the hub has staged")
	g.until("the version being whole", func() bool { return g.said("Install the version that the daemon has fetched") })
	g.step("it is fetched, and is being written")
	g.restarts("0 tryboot")
	g.step("it is written, and the firmware is asked for a start on trial")
	g.cut()

	g.power(true)
	told("a staged version on trial, power to serving PINs", g.servesPINs())
	g.until("the new version being committed", func() bool { return g.said("slot B is committed") })
	g.until("the hub hearing of it", func() bool { u := s.status(g.on).Update; return u.Sequence > before && u.Step == register.UpdateNone })
	if how := run(g.t, s.dir, s.program, "update", "status", "-c", "hub.toml"); !strings.Contains(how, "done") {
		g.t.Errorf("the hub says of the update: %s", how)
	}
	g.cut()
	if g.committed() != 3 {
		g.t.Fatal("autoboot.txt does not name slot B")
	}
	fmt.Println("the staged version is committed, and the hub has heard of it")
}
