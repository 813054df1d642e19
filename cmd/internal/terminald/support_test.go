package terminald

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
	"github.com/tillprint/tillprint/sync/terminal"
)

// needle is something personal, as it could appear in a file.
type needle struct{ what, text string }

// inFile lists what of the needles is in a text. A PIN counts only between other characters than digits and letters: any
// longer number may hold six digits by chance.
func inFile(text string, needles []needle) (found []string) {
	for _, n := range needles {
		i := strings.Index(text, n.text)
		if n.what == "PIN" {
			i = -1
			if at := regexp.MustCompile(`(^|[^0-9A-Za-z.])` + n.text + `([^0-9A-Za-z.]|$)`).FindStringIndex(text); at != nil {
				i = at[0]
			}
		}
		if i >= 0 {
			found = append(found, fmt.Sprintf("%s: ...%.60q", n.what, text[i:]))
		}
	}
	return found
}

// bytesOf are the ways in which bytes get into text: as they are, hexadecimal, and base64 at each of its three alignments.
func bytesOf(what string, b []byte) (all []needle) {
	const piece = 18
	for at := 0; at+piece+2 <= len(b) && at < 10*piece; at += piece {
		part := b[at : at+piece]
		h := hex.EncodeToString(part)
		all = append(all, needle{what, string(part)}, needle{what + " in hex", h}, needle{what + " in hex", strings.ToUpper(h)})
		for shift := range 3 {
			for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				text := e.EncodeToString(append(make([]byte, shift), part...))
				all = append(all, needle{what + " in base64", text[4 : len(text)-4]})
			}
		}
	}
	return all
}

// joined is a terminal of a hub's only site, commissioned for fingers; it has no sensor.
func joined(t *testing.T) (*hub.Hub, Config) {
	t.Helper()
	ctx := t.Context()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := hub.Init(dir, []string{"localhost"}, rand.Reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	h, err := hub.Open(ctx, hub.Config{Dir: dir, Addresses: []string{"https://" + l.Addr().String()}, Log: slog.New(slog.DiscardHandler), PIN: hub.Cost{Passes: 1, KiB: 8, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h.Handler(), TLSConfig: h.TLS()}
	go server.ServeTLS(l, "", "")
	t.Cleanup(func() { server.Close(); h.Close() })
	profile := consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{"v1"}}
	if err := h.AddSite(ctx, hub.Site{ID: "oakfield", Name: "Oakfield School", Profile: profile}); err != nil {
		t.Fatal(err)
	}
	code, err := h.NewJoinCode(ctx, "oakfield", "office", "till-1")
	if err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Store.Dir, c.Sensor.Port, c.Keyslot.Kind = filepath.Join(t.TempDir(), "store"), "", keyslot.KindFile
	c.Page.Listen, c.Sync.Wait = "127.0.0.1:0", config.Length(time.Second)
	if _, err := Join(ctx, c, code, "till-1"); err != nil {
		t.Fatal(err)
	}
	if err := hubtest.Commission(ctx, h, "oakfield", "till-1", "v1"); err != nil {
		t.Fatal(err)
	}
	return h, c
}

// filled is a terminal with a crowd in its store, and all that is personal about it.
func filled(t *testing.T) (c Config, needles []needle, people []hub.Added) {
	t.Helper()
	h, c := joined(t)
	c.Sensor.Port, c.Sensor.Password = "/dev/nosuch", 0x5eed1234
	yes := consent.Statement{Capacity: consent.Self, Kind: consent.Consent, Form: consent.Written, At: time.Now().Add(-time.Hour),
		Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: "v1", Evidence: "form"}
	var crowd []hub.NewSubject
	for i := range 30 {
		yes.Evidence = fmt.Sprintf("form %d", i)
		name := fmt.Sprintf("Zyxan%d Qwertson%d", i, i)
		crowd = append(crowd, hub.NewSubject{Class: consent.Adult, Name: name, Form: "Vqx" + fmt.Sprint(i), PIN: true, Dietary: []string{"kumquat allergy"}, Statements: []consent.Statement{yes}})
		needles = append(needles, needle{"name", name}, needle{"first name", strings.Fields(name)[0]}, needle{"form", "Vqx"}, needle{"dietary", "kumquat"})
	}
	people, err := h.AddSubjects(t.Context(), "oakfield", "office", crowd)
	if err != nil {
		t.Fatal(err)
	}
	return c, append(needles, needle{"the sensor's password", fmt.Sprint(c.Sensor.Password)}), people
}

// fill enrols two people at a running terminal, makes the till work, and adds what the store then holds to the needles.
func fill(t *testing.T, term *Terminal, people []hub.Added) (needles []needle) {
	t.Helper()
	for s := term.Hub.State(); !s.Reachable || s.Applied == 0 || s.Pending > 0; s = term.Hub.State() {
		changed := term.Hub.Changed()
		if s = term.Hub.State(); s.Reachable && s.Applied > 0 && s.Pending == 0 {
			break
		}
		<-changed
	}
	for i, p := range people[:2] {
		data, err := synth.Template(uint64(i)).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := term.Custody.Enrol(t.Context(), []store.TemplateRecord{{Subject: p.Subject, Finger: 2, Data: data, Enrolled: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		needles = append(needles, bytesOf("template", data)...)
	}
	if err := term.Till.PIN(t.Context(), people[3].PIN); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Till.Lookup(t.Context(), "Zyxan"); err != nil {
		t.Fatal(err)
	}
	if err := term.Till.Refuse(t.Context(), people[1].Subject); err != nil {
		t.Fatal(err)
	}
	term.log.Error("a careless line", "subject", people[5].Subject)
	for _, name := range []string{terminal.SecretPepper} {
		secret, err := term.Store.Secret(name)
		if err != nil {
			t.Fatal(err)
		}
		needles = append(needles, bytesOf(name, secret)...)
	}
	err := term.Store.People(func(id consent.SubjectID, p store.Person) bool {
		needles = append(needles, needle{"number", string(id)}, needle{"verifier", p.PINVerifier})
		needles = append(needles, bytesOf("PIN index", p.PINIndex)...)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		needles = append(needles, needle{"PIN", p.PIN})
	}
	return needles
}

// Nothing about anybody in a filled store is in a support bundle, made beside the daemon or without it.
func TestSupportBundleNamesNobody(t *testing.T) {
	c, needles, people := filled(t)
	ctx, stop := context.WithCancel(t.Context())
	done, made := make(chan error, 1), make(chan Support, 1)
	hooks := Hooks{Ready: func(term *Terminal) error {
		defer stop()
		needles = append(needles, fill(t, term, people)...)
		s, err := RunSupport(ctx, c)
		for ; err == nil && !strings.Contains(s["doctor.json"], `"Self-test"`); s, err = RunSupport(ctx, c) {
		}
		made <- s
		planted := Support{"log.txt": "msg=hello name=\"" + "Zyxan7 Qwertson7" + "\""}
		if err := planted.harmless(term.Store); !errors.Is(err, errPersonal) {
			t.Errorf("control: a bundle that names somebody is handed out: %v", err)
		}
		return err
	}}
	go func() { done <- Run(ctx, c, slog.New(slog.DiscardHandler), hooks) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	beside := <-made
	without, err := RunSupport(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Support{"beside the daemon": beside, "without it": without} {
		for file, text := range s {
			for _, found := range inFile(text, needles) {
				t.Errorf("%s, %s holds %s", name, file, found)
			}
		}
		for _, file := range []string{"README.txt", "doctor.json", "config.toml", "log.txt", "versions.txt"} {
			if s[file] == "" {
				t.Errorf("%s: %s is missing", name, file)
			}
		}
	}
	for want, file := range map[string]string{"careless line": "log.txt", "p_...": "log.txt", "tillprint_sensor_line_errors 0": "metrics.txt",
		"tillprint_register_age_seconds": "metrics.txt", "4294967295": "config.toml", "/dev/nosuch": "doctor.json"} {
		if !strings.Contains(beside[file], want) {
			t.Errorf("%s lacks %q:\n%s", file, want, beside[file])
		}
	}
	for _, n := range needles { // control: the search would find each of them
		if len(inFile("x "+n.text+" y", []needle{n})) == 0 {
			t.Fatalf("control: %s %q is not found", n.what, n.text)
		}
	}
}
