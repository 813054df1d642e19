package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rogpeppe/go-internal/testscript"
	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
	"github.com/tillprint/tillprint/cmd/internal/hubd"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tillprintd": main, "hub": runHub, "export": runExport})
}

// commands are those of the scripts, beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":      clitest.Exits,
	"address":    clitest.Address,
	"fill":       clitest.Fill,
	"daemon":     clitest.Daemon,
	"stop":       clitest.Stop,
	"sees":       clitest.Sees,
	"post":       clitest.Post,
	"school":     school,
	"serve":      serve,
	"request":    request,
	"opened":     opened,
	"newer":      newer,
	"commission": commission,
	"carried":    carried,
	"readmit":    readmit,
}

// TestScript runs every script of testdata against the command, beside a real
// hub where the script starts one.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               clitest.Setup,
		Cmds:                commands,
	})
}

// runHub is "hub CONFIG": the hub as its own command runs it.
func runHub() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c, err := hubd.Load(flag.Arg(0))
	if err == nil {
		err = hubd.Run(ctx, c, c.Log.Logger(os.Stderr), func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runExport is "export CONFIG SUBJECT FILE": what 'tillprint export' does on a terminal.
func runExport() {
	flag.Parse()
	c, err := terminald.Load(flag.Arg(0))
	var sealed []byte
	if err == nil {
		sealed, err = terminald.Export(context.Background(), c, consent.SubjectID(flag.Arg(1)))
	}
	if err == nil {
		err = os.WriteFile(flag.Arg(2), sealed, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// hubConfig reads a hub's configuration as if the script's folder were the working one.
func hubConfig(ts *testscript.TestScript, path string) hubd.Config {
	c, err := hubd.Load(ts.MkAbs(path))
	ts.Check(err)
	c.Dir = ts.MkAbs(c.Dir)
	return c
}

// openHub opens a hub in the script's own process; it must not be left open.
func openHub(ts *testscript.TestScript, path string) *hub.Hub {
	h, err := hub.Open(context.Background(), hubConfig(ts, path).Hub(slog.New(slog.DiscardHandler)))
	ts.Check(err)
	return h
}

// request CONFIG has two people of the office ask for, and confirm, an export of $SUBJECT, and sets $KEY.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: request CONFIG")
	}
	ctx, h := context.Background(), openHub(ts, args[0])
	defer h.Close()
	key, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Setenv("KEY", key.String())
	order := export.Order{Subject: consent.SubjectID(ts.Getenv("SUBJECT")), Recipient: key.Recipient().String(), Requester: "the pupil", Identity: "known"}
	id, err := h.AskExport(ctx, "oakfield", "smith", order)
	ts.Check(err)
	ts.Check(h.ConfirmExport(ctx, "oakfield", "jones", id))
}

// opened FILE TEXT opens an export with $KEY and looks for a text in it.
func opened(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: opened FILE TEXT")
	}
	_, files, err := export.Open([]byte(ts.ReadFile(args[0])), ts.Getenv("KEY"))
	ts.Check(err)
	for _, f := range files {
		if strings.Contains(string(f.Data), args[1]) {
			return
		}
	}
	ts.Fatalf("%q is not in the export", args[1])
}

// school CONFIG makes a hub with one school, in which one pupil eats by PIN,
// and sets $PIN, $SUBJECT and two join codes, $CODE and $CODE2.
func school(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: school CONFIG")
	}
	ts.Check(hub.Init(hubConfig(ts, args[0]).Dir, []string{"localhost"}, rand.Reader, time.Now()))
	ctx, h := context.Background(), openHub(ts, args[0])
	defer h.Close()
	site := hub.Site{ID: "oakfield", Name: "Oakfield School",
		Profile: consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{"v1"}}}
	ts.Check(h.AddSite(ctx, site))
	pupil := hub.NewSubject{Class: consent.Pupil, Name: "Amina Khan", Form: "7B", PIN: true,
		Eighteenth: consent.DateOf(time.Now().AddDate(6, 0, 0)), LeavesOn: consent.DateOf(time.Now().AddDate(5, 0, 0))}
	added, err := h.AddSubjects(ctx, site.ID, "office", []hub.NewSubject{pupil})
	ts.Check(err)
	ts.Setenv("PIN", added[0].PIN)
	ts.Setenv("SUBJECT", string(added[0].Subject))
	for _, name := range []string{"CODE", "CODE2"} {
		code, err := h.NewJoinCode(ctx, site.ID, "office", "till-1")
		ts.Check(err)
		ts.Setenv(name, code)
	}
}

// carried CONFIG REQUEST ANSWER answers a terminal that joins by files.
func carried(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: carried CONFIG REQUEST ANSWER")
	}
	ctx, h := context.Background(), openHub(ts, args[0])
	defer h.Close()
	answer, _, err := h.JoinFile(ctx, "office", []byte(ts.ReadFile(args[1])))
	if neg != (err != nil) {
		ts.Fatalf("answering: %v", err)
	}
	if err == nil {
		ts.Check(os.WriteFile(ts.MkAbs(args[2])+".part", answer, 0o600))
		ts.Check(os.Rename(ts.MkAbs(args[2])+".part", ts.MkAbs(args[2])))
	}
}

// commission CONFIG TERMINAL takes a terminal of the school as far as fingers (N1).
func commission(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: commission CONFIG TERMINAL")
	}
	ctx, h := context.Background(), openHub(ts, args[0])
	defer h.Close()
	ts.Check(hubtest.Commission(ctx, h, "oakfield", args[1], "v1"))
}

// readmit CONFIG PAGE reads the code on the operator's page and keys it in at the hub.
func readmit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readmit CONFIG PAGE")
	}
	code := regexp.MustCompile(`[0-9A-Z]{5}-[0-9A-Z]{5}`)
	shown := code.FindString(clitest.Seen(ts, args[1]+"/events", code.String()))
	ctx, h := context.Background(), openHub(ts, args[0])
	defer h.Close()
	_, err := h.Readmit(ctx, "oakfield", "office", shown)
	ts.Check(err)
}

// newer STORE lets a store look as if a later version had written it.
func newer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer STORE")
	}
	db, err := bbolt.Open(filepath.Join(ts.MkAbs(args[0]), "records.db"), 0o600, nil)
	ts.Check(err)
	defer db.Close()
	ts.Check(db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("99")) }))
}

// serve PAGE PIN keys a PIN on the operator's page and confirms the pupil. The till lets a proposal go after some seconds, and begins its
// page anew now and then: then it is done once more, as an operator would.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve PAGE PIN")
	}
	var err error
	for tries := 0; tries < 10; tries++ {
		// A PIN that is keyed before the register has come finds nobody, and its page never shows a proposal.
		clitest.Sees(ts, false, []string{args[0] + "/events", `<b>Commissioned</b> <span>for (PINs|fingers)`})
		if err = serveOnce(args[0], args[1]); err == nil {
			return
		}
	}
	ts.Fatalf("serving by PIN: %v", err)
}

var (
	proposedAmina = regexp.MustCompile(`Amina Khan.*7B`)
	confirmButton = regexp.MustCompile(`do/confirm"[^>]*"id":"([^"]+)"`) // carries the proposal's number
	servedState   = regexp.MustCompile(`data-state="served"`)
)

// serveOnce follows the page from before the first key on, so that neither the proposal nor the end is missed.
func serveOnce(page, pin string) error {
	events, err := clitest.Follow(page + "/events")
	if err != nil {
		return err
	}
	defer events.Close()
	do := func(what, key, value string) error {
		answer, err := http.PostForm(page+"/do/"+what, url.Values{key: {value}})
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode >= 300 {
			return fmt.Errorf("%s: %s", what, answer.Status)
		}
		return nil
	}
	err = errors.Join(do("clear", "", ""), do("pin", "", ""))
	for _, digit := range pin {
		err = errors.Join(err, do("key", "key", string(digit)))
	}
	if err != nil {
		return err
	}
	if _, err := events.Until(proposedAmina); err != nil {
		return err
	}
	button, err := events.Until(confirmButton)
	if err == nil {
		err = do("confirm", "id", button[1])
	}
	if err == nil {
		_, err = events.Until(servedState)
	}
	return err
}
