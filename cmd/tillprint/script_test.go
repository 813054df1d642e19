package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"fmt"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/image/tiff"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/disposal"
	"github.com/tillprint/tillprint/store/keyslot"
)

// fingers DIR FINGERS IMPRESSIONS [EXT] draws synthetic fingers into a folder,
// as FINGER_IMPRESSION.EXT; without EXT the formats take turns.
func fingers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fingers DIR FINGERS IMPRESSIONS [EXT]")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	formats := []string{"png", "tif", "pgm"}
	if len(args) > 3 {
		formats = args[3:]
	}
	for f := range number(ts, args[1]) {
		master := synth.NewMaster(uint64(f) + 1)
		for i := range number(ts, args[2]) {
			name := fmt.Sprintf("%d_%d.%s", f+1, i+1, formats[(f+i)%len(formats)])
			press := master.Impression(uint64(i), synth.Conditions{Noise: 0.1, ShiftX: float64(4 * i), Rotation: 0.03 * float64(i)})
			ts.Check(writeImage(filepath.Join(dir, name), sample.R307.Press(press)))
		}
	}
}

// blank FILE writes the picture of a sensor that nobody touches.
func blank(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: blank FILE")
	}
	s := sample.New(256, 288, matcher.PPI)
	for i := range s.Pix {
		s.Pix[i] = 200
	}
	ts.Check(writeImage(ts.MkAbs(args[0]), s))
}

func writeImage(path string, s *sample.Sample) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	switch filepath.Ext(path) {
	case ".tif":
		err = tiff.Encode(f, s.Image(), nil)
	case ".pgm":
		_, err = fmt.Fprintf(f, "P5 %d %d 255\n%s", s.Width, s.Height, s.Pix)
	default:
		err = png.Encode(f, s.Image())
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// receipt FILE KEYFILE [TERMINAL] makes a real store, enrols a subject there,
// lets the subject say no, and writes the receipt and the terminal's key.
func receipt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: receipt FILE KEYFILE [TERMINAL]")
	}
	id := store.Identity{Site: "oakfield", Terminal: "till-1"}
	if len(args) > 2 {
		id.Terminal = args[2]
	}
	random := rand.NewChaCha8([32]byte{byte(len(id.Terminal))})
	dir, err := os.MkdirTemp(ts.MkAbs("."), "store-")
	ts.Check(err)
	st, err := store.Create(dir, &keyslot.Memory{Rand: random}, id, store.Options{Rand: random})
	ts.Check(err)
	defer st.Close()
	text, err := wiped(st, random)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(st.VerifierKey()+"\n"), 0o600))
}

// certificate FILE KEYFILE writes a decommissioning certificate and the key of the terminal that has signed it.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate FILE KEYFILE")
	}
	random := rand.NewChaCha8([32]byte{1})
	st, err := store.Create(ts.MkAbs("ending"), &keyslot.Memory{Rand: random}, store.Identity{Site: "oakfield", Terminal: "till-1"}, store.Options{Rand: random})
	ts.Check(err)
	defer st.Close()
	key, err := st.SigningKey()
	ts.Check(err)
	c := disposal.Certificate{Identity: st.Identity(), At: time.Now(), Epoch: 1, Keys: "destroyed", Files: 3, Sensor: "holds 0 templates", Promise: st.Promise()}
	text, err := c.Sign(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(st.VerifierKey()+"\n"), 0o600))
}

// history FILE KEYFILE HUBKEYFILE writes the history of a terminal's log between two heads that a hub has countersigned.
func history(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: history FILE KEYFILE HUBKEYFILE")
	}
	random := rand.NewChaCha8([32]byte{1})
	st, err := store.Create(ts.MkAbs("history-store"), &keyslot.Memory{Rand: random}, store.Identity{Site: "oakfield", Terminal: "till-1"}, store.Options{Rand: random})
	ts.Check(err)
	defer st.Close()
	hub := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, hubKey := audit.NewCosigner(hub, time.Now()), audit.CosignKey(hub.Public().(ed25519.PublicKey))
	sign := func(from int64) (string, tlog.TreeProof) {
		head, proof, err := st.Head(from)
		ts.Check(err)
		head, err = audit.Countersign(head, st.VerifierKey(), signer)
		ts.Check(err)
		return head, proof
	}
	earlier, _ := sign(0)
	ts.Check(st.Append(audit.Event{Kind: audit.Operator, Action: "not-them"}))
	later, proof := sign(1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(audit.History(earlier, proof, later)), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(st.VerifierKey()+"\n"), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(hubKey+"\n"), 0o600))
}

// wiped enrols three templates and wipes them by a refusal.
func wiped(st *store.Store, random io.Reader) (string, error) {
	ctx := context.Background()
	keeper, err := custody.Open(st, matcher.NewGallery())
	if err != nil {
		return "", err
	}
	subject, err := consent.NewSubjectID(random)
	if err != nil {
		return "", err
	}
	permit := store.Change{Seq: 1, Subject: subject, Standing: store.Standing{Decision: consent.Permit}, Person: &store.Person{Name: "Amina Khan"}}
	if _, err := keeper.Apply(ctx, []store.Change{permit}, 1, nil); err != nil {
		return "", err
	}
	var records []store.TemplateRecord
	for seed := range uint64(3) {
		data, err := synth.Template(seed).MarshalBinary()
		if err != nil {
			return "", err
		}
		records = append(records, store.TemplateRecord{Subject: subject, Finger: 2, Data: data, Enrolled: time.Now()})
	}
	if err := keeper.Enrol(ctx, records); err != nil {
		return "", err
	}
	r, err := keeper.Refuse(ctx, subject, "operator")
	return r.Text, err
}

// sim is the simulator that a script runs beside its commands; the zero value
// is none. It stands in the script's values under sim{}.
type sim struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// startSim LINK FLAG... runs 'tillprint sensor sim' with its port at LINK, and
// returns when the port is there. The script ends it.
func startSim(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: sim LINK FLAG...")
	}
	cmd := exec.Command("tillprint", append([]string{"sensor", "sim", "--instant", "--link", ts.MkAbs(args[0])}, args[1:]...)...)
	cmd.Stderr = os.Stderr
	cmd.Dir = ts.MkAbs(".")
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s := ts.Value(sim{}).(*sim)
	s.in, s.out = in, bufio.NewScanner(out)
	ts.Defer(func() {
		in.Close() // the end of its commands ends the simulator
		for s.out.Scan() {
		}
		if err := cmd.Wait(); err != nil {
			ts.Logf("the simulator ended badly: %v", err)
		}
	})
	if !s.out.Scan() || s.out.Text() != ts.MkAbs(args[0]) {
		ts.Fatalf("the simulator says %q, not its port", s.out.Text())
	}
}

// tellSim COMMAND... sends a line to the simulator and waits for its answer,
// which must be "ok", or with ! an error.
func tellSim(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(sim{}).(*sim)
	if s.in == nil {
		ts.Fatalf("no simulator is running")
	}
	_, err := fmt.Fprintln(s.in, strings.Join(args, " "))
	ts.Check(err)
	for s.out.Scan() {
		line := s.out.Text()
		fmt.Fprintln(ts.Stdout(), line)
		failed := strings.HasPrefix(line, "error:")
		if failed != neg && (failed || line == "ok") {
			ts.Fatalf("the simulator answers %q", line)
		}
		if failed || line == "ok" {
			return
		}
	}
	ts.Fatalf("the simulator has ended")
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}
