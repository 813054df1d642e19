package boot_test

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tillprint/tillprint/sync/register"
)

// stage has the hub offer the next version to the school.
func (s *school) stage(g *guest) {
	s.t.Helper()
	words := run(s.t, s.dir, s.program, "update", "add", filepath.Join(g.images, "next", "bundle"), "--key", filepath.Join(g.images, "release.key.pub"), "-c", "hub.toml")
	version, _, _ := strings.Cut(strings.TrimPrefix(words, "version "), " ")
	run(s.t, s.dir, s.program, "update", "stage", version, "--site", site, "-c", "hub.toml")
}

// stagedInVain is on a machine that has no Pi's firmware to ask for a start on trial: nothing is written, and the office reads why.
func stagedInVain(g *guest, s *school) {
	s.stage(g)
	g.cut()
	g.power(false) // at its start a terminal asks at once what is staged
	g.until("the version being fetched", func() bool { return s.status(g.on).Update.Step == register.UpdateFetching })
	g.step("the terminal fetches what the hub has staged")
	g.until("the image's units taking it up", func() bool { return g.said("Install the version that the daemon has fetched") })
	g.step("it is fetched, and the image's units take it up")
	g.until("the hub hearing why it is not installed", func() bool {
		u := s.status(g.on).Update
		return u.Step == register.UpdateFailed && strings.Contains(u.Words, "cannot start a version on trial")
	})
	if got := g.at(rootB+16*mib, 4096); strings.Trim(string(got), "\x00") != "" {
		g.t.Error("slot B was written on a machine that cannot try it")
	}
	fmt.Println("a staged version was fetched, refused by this machine, and the hub knows why")
}
