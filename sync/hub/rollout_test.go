package hub

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/sync/register"
)

func bundleFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range register.UpdateFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("the bytes of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWaves(t *testing.T) {
	for n, want := range map[int][3]int{1: {1, 0, 0}, 2: {1, 1, 0}, 3: {1, 1, 1}, 10: {1, 1, 8}, 24: {1, 3, 20}, 5000: {1, 500, 4499}} {
		var got [3]int
		for _, w := range waves(make([]candidate, n)) {
			got[w-1]++
		}
		if got != want {
			t.Errorf("%d terminals: waves of %v, want %v", n, got, want)
		}
	}
}

// What terminals say of themselves puts one of each board first, and those that take no image's version last.
func TestWavesByWhatTerminalsSay(t *testing.T) {
	status := func(board string, u register.UpdateState) string {
		b, err := json.Marshal(register.Status{Board: board, Update: u})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	runs, foreign := register.UpdateState{Sequence: 10}, register.UpdateState{Step: register.UpdateForeign}
	var all []candidate
	for _, text := range []string{
		status("Raspberry Pi 3 Model B Rev 1.2", foreign), "", status("Raspberry Pi 3 Model B Rev 1.2", runs),
		status("Raspberry Pi 4 Model B Rev 1.4", runs), status("Raspberry Pi 4 Model B Rev 1.5", runs), status("", runs), status("", register.UpdateState{}),
	} {
		var c candidate
		c.read(text)
		all = append(all, c)
	}
	if got, want := waves(all), []int{3, 3, 1, 1, 2, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("waves %v, want %v", got, want)
	}
	if got := waves(all[:1]); !slices.Equal(got, []int{1}) {
		t.Errorf("with nobody who takes it: %v", got)
	}
}

// A wave opens when all before it are done; a failure stops what has not begun; one that was removed keeps nobody waiting, and
// another one proves the version in its wave.
func TestRollout(t *testing.T) {
	h, _ := newHub(t)
	s := serve(t, h.Handler(), h)
	var all []*terminal
	for _, name := range []string{"till-1", "till-2", "till-3", "till-4"} {
		all = append(all, justJoined(t, h, s, "oakfield", name))
	}
	offered := func(want string) {
		t.Helper()
		var got strings.Builder
		for _, x := range all {
			status, _ := x.raw("GET", "/v1/update", nil, true)
			got.WriteByte(map[int]byte{http.StatusOK: 'o', http.StatusNoContent: '-', http.StatusForbidden: 'x'}[status])
		}
		if got.String() != want {
			t.Errorf("offered to %s, want %s", &got, want)
		}
	}
	say := func(x *terminal, u register.UpdateState) {
		t.Helper()
		x.ask("POST", "/v1/status", register.Status{At: start, Update: u}, nil)
	}
	if _, err := h.Stage(t.Context(), "jo", 11, "oakfield"); err == nil {
		t.Error("a version that is not there was staged")
	}
	folder := bundleFolder(t)
	for _, sequence := range []uint64{11, 12} {
		if err := h.AddBundle(t.Context(), Bundle{Version: "v" + string(rune('0'+sequence-10)), Sequence: sequence}, folder); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Stage(t.Context(), "jo", 11, "oakfield", "till-9"); err == nil {
		t.Error("a version was staged for a terminal that is not there")
	}
	if n, err := h.Stage(t.Context(), "jo", 11, ""); n != 4 || err != nil {
		t.Fatalf("staged for %d, %v", n, err)
	}
	offered("o---")
	if status, body := all[0].raw("GET", "/v1/update/file?sequence=11&name=root.img.zst&from=4", nil, true); status != http.StatusOK || string(body) != "bytes of root.img.zst" {
		t.Errorf("a part of a file: %d %q", status, body)
	}
	for _, bad := range []string{"sequence=12&name=root.img.zst&from=0", "sequence=11&name=../hub.db&from=0", "sequence=11&name=root.img.zst&from=-1", "sequence=11&name=root.img.zst"} {
		if status, _ := all[0].raw("GET", "/v1/update/file?"+bad, nil, true); status == http.StatusOK {
			t.Errorf("%s is answered", bad)
		}
	}
	if status, _ := all[1].raw("GET", "/v1/update/file?sequence=11&name=root.img.zst&from=0", nil, true); status != http.StatusNotFound {
		t.Errorf("a terminal of a later wave gets files: %d", status)
	}
	say(all[0], register.UpdateState{Sequence: 10, Offered: 11, Step: register.UpdateFetching})
	offered("o---")
	say(all[0], register.UpdateState{Sequence: 11})
	offered("-o--")
	if err := h.RemoveTerminal(t.Context(), "oakfield", "jo", "till-2"); err != nil {
		t.Fatal(err)
	}
	offered("-xo-")
	say(all[2], register.UpdateState{Sequence: 10, Offered: 11, Step: register.UpdateFailed, Words: "the slot is too small"})
	offered("-x--")

	if _, err := h.Stage(t.Context(), "jo", 12, "oakfield", "till-4"); err != nil {
		t.Fatal(err)
	}
	offered("-x-o")
	b := officeOf(t, h)
	b.login()
	_, page := b.get("/office/terminals")
	for _, want := range []string{"the slot is too small", "<td>v2</td>", `<option value="12">v2</option>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status, _ := b.post("/office/terminals/update", url.Values{"sequence": {"12"}, "do": {"stop"}}); status != http.StatusSeeOther {
		t.Errorf("stopping: %d", status)
	}
	offered("-x--")
	if status, _ := b.post("/office/terminals/update", url.Values{"sequence": {"12"}, "name": {"till-1"}, "do": {"stage"}}); status != http.StatusSeeOther {
		t.Errorf("staging: %d", status)
	}
	offered("ox--")
	if status, _ := b.post("/office/terminals/update", url.Values{"sequence": {"x"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no version: %d", status)
	}
}

// Terminals that are left out prove nothing: the next one takes their wave, and none opens before one of it has committed the
// version.
func TestAWaveIsProvenBySomebody(t *testing.T) {
	h, _ := newHub(t)
	s := serve(t, h.Handler(), h)
	var all []*terminal
	for _, name := range []string{"till-1", "till-2", "till-3", "till-4", "till-5"} {
		all = append(all, justJoined(t, h, s, "oakfield", name))
	}
	if err := h.AddBundle(t.Context(), Bundle{Version: "v1", Sequence: 11}, bundleFolder(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Stage(t.Context(), "jo", 11, ""); err != nil {
		t.Fatal(err)
	}
	waveOf := func(want ...int) {
		t.Helper()
		staged, err := h.Rollouts(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		got := make([]int, len(all))
		for _, o := range staged {
			got[o.Terminal[len(o.Terminal)-1]-'1'] = o.Wave
			if !o.Staged.Equal(start) {
				t.Errorf("staged at %v", o.Staged)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("waves %v, want %v", got, want)
		}
	}
	foreign, done := register.UpdateState{Step: register.UpdateForeign}, register.UpdateState{Sequence: 11}
	says := func(i int, u register.UpdateState) {
		t.Helper()
		all[i].ask("POST", "/v1/status", register.Status{At: start, Update: u}, nil)
	}
	offered := func(i int) bool {
		status, _ := all[i].raw("GET", "/v1/update", nil, true)
		return status == http.StatusOK
	}
	waveOf(1, 2, 3, 3, 3)
	// As a hub has left it that did not fill waves up.
	if _, err := h.db.Exec(`UPDATE rollouts SET state = $1 WHERE terminal = 'till-1'`, rolloutLeft); err != nil {
		t.Fatal(err)
	}
	if offered(1) {
		t.Error("a wave opened on one that was left out")
	}
	says(0, foreign)
	says(0, foreign)
	waveOf(1, 1, 3, 3, 3)
	if !offered(1) || offered(2) {
		t.Error("not one terminal alone is offered the version first")
	}
	says(1, foreign)
	waveOf(1, 1, 1, 3, 3)
	if !offered(2) || offered(3) {
		t.Error("a wave opened on terminals that were left out")
	}
	says(2, done)
	if !offered(3) || !offered(4) {
		t.Error("the last wave does not open")
	}
}
