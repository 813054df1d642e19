package boot_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// school is a hub on this machine with one pupil, whose parent has consented, as the guest and the test see it.
type school struct {
	t                  *testing.T
	program            string // tillprint-hub
	config             hub.Config
	dir, office, token string
	pupil              consent.SubjectID
	trusted            *tls.Config // of the till PC's browser
	close              func()      // takes the hub away
}

const site, terminal, parent, notice = "oakfield", "till-1", "g-1", "canteen-2026-1"

// newSchool founds a school and starts its hub. The guest reaches this machine as 10.0.2.2.
func newSchool(t *testing.T, program string) *school {
	t.Helper()
	s := &school{t: t, program: program, dir: t.TempDir(), office: "127.0.0.1:" + port(t)}
	terminals := port(t)
	text := fmt.Sprintf("dir = \"hub\"\n[terminals]\nlisten = \"127.0.0.1:%s\"\naddresses = [\"https://10.0.2.2:%s\"]\n[office]\nlisten = %q\n[pin]\nmemory_kib = 1024\npasses = 1\n",
		terminals, terminals, s.office)
	must(t, os.WriteFile(filepath.Join(s.dir, "hub.toml"), []byte(text), 0o600))
	s.config = hub.Config{Dir: filepath.Join(s.dir, "hub"), Addresses: []string{"https://10.0.2.2:" + terminals}, PIN: hub.Cost{KiB: 1024, Passes: 1, Threads: 1}}
	s.found()
	s.open()
	return s
}

// open starts the hub and waits until its office answers.
func (s *school) open() {
	s.t.Helper()
	s.close = start(s.t, s.dir, s.program, "run", "-c", "hub.toml")
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) { // another program: it tells of nothing but by answering
		c, err := net.Dial("tcp", s.office)
		if err == nil {
			must(s.t, c.Close())
			return
		}
		if time.Since(began) > time.Minute {
			s.t.Fatalf("the hub does not come up: %v", err)
		}
	}
}

// joinCode is one from the office.
func (s *school) joinCode() string {
	s.t.Helper()
	return run(s.t, s.dir, s.program, "join-code", site, terminal, "-c", "hub.toml")
}

// found makes the school. Its terminal serves fingers once it is commissioned.
func (s *school) found() {
	s.t.Helper()
	must(s.t, hub.Init(s.config.Dir, []string{"10.0.2.2"}, rand.Reader, time.Now()))
	h, err := hub.Open(s.t.Context(), s.config)
	must(s.t, err)
	defer h.Close()
	must(s.t, h.AddSite(s.t.Context(), hub.Site{ID: site, Name: "Oakfield School", Contact: "dpo@oakfield.example", Profile: consent.Profile{
		Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{notice}}}))
	s.token, err = h.NewOfficeToken(s.t.Context(), site, "test")
	must(s.t, err)
	added, err := h.AddSubjects(s.t.Context(), site, "test", []hub.NewSubject{consenting()})
	must(s.t, err)
	s.pupil = added[0].Subject
	s.admit(h)
}

// admit lets the till PC's browser in.
func (s *school) admit(h *hub.Hub) {
	s.t.Helper()
	in, err := h.AdmitBrowser(s.t.Context(), site, "test", "till-pc", false, false)
	must(s.t, err)
	key, own, _, err := pkcs12.DecodeChain(in.File, in.Password)
	must(s.t, err)
	root, err := h.Authority(s.t.Context(), site)
	must(s.t, err)
	s.trusted = &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{{Certificate: [][]byte{own.Raw}, PrivateKey: key}}}
	s.trusted.RootCAs.AddCert(root)
}

// consenting is a pupil for whom one parent has consented in writing, which is what the law asks.
func consenting() hub.NewSubject {
	mother := hub.Adult{Responsible: consent.Responsible{ID: parent, Capacity: consent.Parent, ParentalResponsibility: true}, Name: "Sana Khan"}
	say := func(kind consent.Kind, days int) consent.Statement {
		return consent.Statement{By: parent, Capacity: consent.Parent, Kind: kind, Form: consent.Written, At: time.Now().AddDate(0, 0, days),
			Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: notice, Evidence: "form 7", TakenBy: "school office"}
	}
	return hub.NewSubject{Class: consent.Pupil, Name: "Amina Khan", Form: "8B", PIN: true, Responsible: []hub.Adult{mother},
		Eighteenth: consent.DateOf(time.Now().AddDate(5, 0, 0)), Statements: []consent.Statement{say(consent.Notified, -9), say(consent.Consent, -8)}}
}

// ask asks the office's interface for programs.
func (s *school) ask(method, path string, in, out any) {
	s.t.Helper()
	var body bytes.Buffer
	if in != nil {
		must(s.t, json.NewEncoder(&body).Encode(in))
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.office+"/office/api"+path, &body)
	must(s.t, err)
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	must(s.t, err)
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		s.t.Fatalf("%s %s at the hub: %s", method, path, answer.Status)
	}
	if out != nil {
		must(s.t, json.NewDecoder(answer.Body).Decode(out))
	}
}

// commission takes the terminal from off by PINs to fingers, as the office does step by step.
func (s *school) commission(m register.Mode) {
	s.t.Helper()
	c := register.Commission{Mode: m}
	for _, need := range m.Needs() {
		r := register.Reference{For: need, Text: "file 1", On: consent.DateOf(time.Now().AddDate(0, -2, 0)), By: "governors"}
		if need == register.ParentsNotice {
			r.Text = notice
		}
		c.References = append(c.References, r)
	}
	s.ask(http.MethodPost, "/terminals/"+terminal+"/commission", c, nil)
}

// joined reports whether the hub knows the terminal.
func (s *school) joined() bool {
	s.t.Helper()
	var all []hub.TerminalState
	s.ask(http.MethodGet, "/terminals", nil, &all)
	return len(all) > 0
}

// status is what the terminal has told the hub after the given moment; the version is empty if it has told nothing.
func (s *school) status(after time.Time) register.Status {
	s.t.Helper()
	var all []struct {
		Contact time.Time
		Status  register.Status
	}
	s.ask(http.MethodGet, "/terminals", nil, &all)
	for _, x := range all {
		if x.Contact.After(after) {
			return x.Status
		}
	}
	return register.Status{}
}

// withdraw is a parent's letter, as the office enters it.
func (s *school) withdraw() {
	s.t.Helper()
	s.ask(http.MethodPost, "/subjects/"+string(s.pupil)+"/withdraw", map[string]any{"by": parent, "written": true}, nil)
}

// receipt reports whether the hub holds a receipt of the pupil's wipe that verifies.
func (s *school) receipt() bool {
	s.t.Helper()
	var all []hub.Report
	s.ask(http.MethodGet, "/reports?kind="+string(register.ReportReceipt)+"&subject="+string(s.pupil), nil, &all)
	if len(all) == 0 {
		return false
	}
	got, err := audit.VerifyReceipt(all[0].Body, all[0].Key)
	if err != nil || got.Subject != s.pupil || got.Event.Count == 0 {
		s.t.Fatalf("the hub holds a receipt about %d templates: %v", got.Event.Count, err)
	}
	return true
}

// run runs one of the commands to its end and returns what it printed.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// start starts a command that lasts until it is stopped, at the latest when the test ends.
func start(t *testing.T, dir, name string, args ...string) (stop func()) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Stderr = dir, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, c.Start())
	stop = sync.OnceFunc(func() { _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() })
	t.Cleanup(stop)
	return stop
}

// port is a free one on loopback.
func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, p, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return p
}
