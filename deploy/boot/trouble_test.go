package boot_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// Lunch goes on, with cash and a page that says why, while a first start goes wrong and after the data partition has been lost.
func TestTroubleAtStart(t *testing.T) {
	if testing.Short() {
		t.Skip("three starts: not with -short")
	}
	g, s := mounted(t, plain)
	play(t, g, s, []part{{"code", codeOutOfDate}, {"hub", hubComesLate}, {"data", dataLost}})
}

// openPage is settings whose page of the terminal's own screen can be seen from outside the guest, besides the one on the network.
const openPage = "[page]\nlisten = \"0.0.0.0:8080\"\ninsecure_without_login = true\nnetwork = \":8443\"\n[serving]\nfingers = [2]\n"

// takesCash waits until the terminal takes cash and its own page says why, in words that hold this text.
func (g *guest) takesCash(why string) time.Duration {
	g.t.Helper()
	g.until("a page that says: "+why, func() bool {
		page := g.fetch(http.DefaultClient, "http://"+g.open)
		return strings.Contains(page, "cash only: ") && strings.Contains(page, why)
	})
	return time.Since(g.on)
}

// codeOutOfDate starts with a join code that the hub refuses.
func codeOutOfDate(g *guest, s *school) {
	g.flash(s.codeOutOfDate())
	g.settings(openPage)
	g.power(false)
	told("a code out of date, power to taking cash", g.takesCash("is out of date; make a new one at the hub"))
	g.cut()
}

func (s *school) codeOutOfDate() string {
	s.t.Helper()
	c := s.config
	c.Now = func() time.Time { return time.Now().AddDate(0, 0, -2) }
	h, err := hub.Open(s.t.Context(), c)
	must(s.t, err)
	defer h.Close()
	code, err := h.NewJoinCode(s.t.Context(), site, "test", terminal)
	must(s.t, err)
	return code
}

// hubComesLate starts with a good code in the old one's place, while the hub is not there yet.
func hubComesLate(g *guest, s *school) {
	g.code(s.joinCode())
	s.close()
	g.power(false)
	told("without a hub, power to taking cash", g.takesCash("the hub does not admit it yet, and is asked again"))
	s.open()
	g.until("the terminal having joined", s.joined)
	s.commission(register.ModePIN)
	told("the hub came late, power to serving PINs", g.servesPINs())
	g.consumed(joinfile.Name, joinfile.RequestName)
	g.cut()
}

// code puts another join file onto the card.
func (g *guest) code(code string) {
	g.t.Helper()
	text, err := joinfile.File{Code: code}.Marshal()
	must(g.t, err)
	file := filepath.Join(g.dir, joinfile.Name)
	must(g.t, os.WriteFile(file, text, 0o600))
	g.insert(file)
}

// dataLost starts with a data partition that is past mending, and a join file that would let it begin anew.
func dataLost(g *guest, s *school) {
	superblock := g.at(data, 4096)
	if !bytes.Contains(superblock, []byte("tillprint-data")) {
		g.t.Fatalf("no data partition lies at %d", data)
	}
	g.code(s.joinCode())
	g.settings(openPage)
	wreck := bytes.Repeat([]byte("wreck"), 64*mib/5)
	g.put(data+4096, wreck) // all but the superblock
	g.power(false)
	told("a data partition lost, power to taking cash", g.takesCash("damaged beyond what e2fsck mends by itself"))
	g.cut()
	if !bytes.Equal(g.at(data+4096, 4096), wreck[:4096]) {
		g.t.Error("a damaged data partition was made anew")
	}
	if !g.holds(joinfile.Name) {
		g.t.Error("the join file was spent on what is lost at the next start")
	}
	fmt.Println("the data partition was lost: cash, and nothing made anew")
}
