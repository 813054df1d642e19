package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/register"
)

func TestAJoinCodeWorksOnce(t *testing.T) {
	h, c := newHub(t)
	s := serve(t, h.Handler(), h)
	text, err := h.NewJoinCode(t.Context(), "oakfield", "office", "till-1")
	if err != nil {
		t.Fatal(err)
	}
	code, err := register.ParseJoinCode(text)
	if err != nil {
		t.Fatal(err)
	}
	x := newTerminal(t, s, code)
	if status := x.join(code.Token); status != http.StatusOK || x.name != "till-1" {
		t.Fatalf("the first time: %d, name %q", status, x.name)
	}
	if status := x.join(code.Token); status != http.StatusOK || x.name != "till-1" {
		t.Errorf("the same terminal again, its answer lost: %d, name %q", status, x.name)
	}
	if status := newTerminal(t, s, code).join(code.Token); status != http.StatusForbidden {
		t.Errorf("another terminal with the used token: %d", status)
	}
	wrong := strings.Repeat("A", len(code.Token))
	if status := newTerminal(t, s, code).join(wrong); status != http.StatusForbidden {
		t.Errorf("a token that never was: %d", status)
	}
	if text, err = h.NewJoinCode(t.Context(), "oakfield", "office", "till-1"); err != nil {
		t.Fatal(err)
	}
	late, err := register.ParseJoinCode(text)
	if err != nil {
		t.Fatal(err)
	}
	c.move(joinLife)
	if status := newTerminal(t, s, late).join(late.Token); status != http.StatusForbidden {
		t.Errorf("a day later: %d", status)
	}
	if y := joined(t, h, s, "oakfield", "till-1"); y.name != "till-1-2" {
		t.Errorf("a second terminal of the same name is called %q", y.name)
	}
}

func TestARepeatedOrForgedRequestIsRefused(t *testing.T) {
	h, c := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	send := func(what string, change func(*http.Request), want int) {
		t.Helper()
		r := x.request("GET", "/v1/register?after=0&wait=0", nil)
		change(r)
		if status, body := x.send(r); status != want {
			t.Errorf("%s: %d %s, want %d", what, status, body, want)
		}
	}
	nothing := func(*http.Request) {}
	used := x.nonce
	send("a good request", nothing, http.StatusOK)
	x.nonce = used
	send("its replay", nothing, http.StatusUnauthorized)
	send("another query", func(r *http.Request) { r.URL.RawQuery = "after=1&wait=0" }, http.StatusUnauthorized)
	send("another terminal's name", func(r *http.Request) { r.Header.Set(register.HeaderTerminal, "till-2") }, http.StatusUnauthorized)
	send("no signature", func(r *http.Request) { r.Header.Del(register.HeaderSignature) }, http.StatusUnauthorized)
	x.nonce = base64.RawURLEncoding.EncodeToString(make([]byte, nonceBytes))
	send("a nonce that the hub never gave", nothing, http.StatusUnauthorized)
	x.raw("GET", "/v1/nonce", nil, false)
	c.move(nonceLife + time.Second)
	send("an old nonce", nothing, http.StatusUnauthorized)
	send("the fresh nonce", nothing, http.StatusOK)
	if status, _ := x.raw("POST", "/v1/status", make([]byte, register.MaxBody+1), true); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the bound: %d", status)
	}
	if err := h.RemoveTerminal(t.Context(), "oakfield", "office", "till-1"); err != nil {
		t.Fatal(err)
	}
	send("a removed terminal", nothing, http.StatusForbidden)
}

// envelope is a template from one terminal to another.
func (x *terminal) envelope(to *terminal, id consent.SubjectID) *register.Envelope {
	x.t.Helper()
	label := register.Label{Purpose: register.PurposeTemplate, Site: x.site, From: x.name, To: to.name, Subject: id, Finger: 2, Revision: 1}
	e, err := register.Seal(label, []byte("minutiae"), to.public, x.sign)
	if err != nil {
		x.t.Fatal(err)
	}
	return e
}

func (x *terminal) mail() []*register.Envelope {
	x.t.Helper()
	status, body := x.raw("GET", "/v1/mailbox", nil, true)
	if status != http.StatusOK {
		x.t.Fatalf("mailbox: %d %s", status, body)
	}
	var all []*register.Envelope
	for line := range bytes.Lines(body) {
		e, err := register.ParseEnvelope(bytes.TrimSpace(line))
		if err != nil {
			x.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestTemplatesGoToTheOtherTerminalAndAWithdrawalStopsThem(t *testing.T) {
	h, _ := newHub(t)
	id, other := addPupil(t, h, "Ada Byron"), addPupil(t, h, "Mary Shelley")
	s := serve(t, h.Handler(), h)
	x, y := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	y.sync(0)
	woken := y.wait()
	e, e2 := x.envelope(y, id), x.envelope(y, other)
	var answer register.Accepted
	x.ask("POST", "/v1/mailbox", register.Envelopes{Envelopes: []*register.Envelope{e, e2}}, &answer)
	x.ask("POST", "/v1/mailbox", register.Envelopes{Envelopes: []*register.Envelope{e}}, &answer)
	if !slices.Equal(answer.Done, []string{e.ID()}) {
		t.Fatalf("sending again: %+v", answer)
	}
	if entries := y.verify(<-woken, false); len(entries) != 0 {
		t.Errorf("mail came with %d entries", len(entries))
	}
	mail := y.mail()
	if len(mail) != 2 || mail[0].ID() != e.ID() {
		t.Fatalf("%d envelopes arrived, want 2 in order", len(mail))
	}
	want := register.Label{Purpose: register.PurposeTemplate, Site: "oakfield", From: "till-1", To: "till-2"}
	if plain, err := mail[0].Open(want, y.secret, x.sign.Public().(pub)); err != nil || string(plain) != "minutiae" {
		t.Errorf("opened: %q %v", plain, err)
	}
	if len(x.mail()) != 0 {
		t.Error("the sender got its own mail")
	}
	if _, err := h.Withdraw(t.Context(), "oakfield", "office", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	if mail = y.mail(); len(mail) != 1 || mail[0].Subject != other {
		t.Errorf("D1: after the withdrawal %d envelopes wait", len(mail))
	}
	x.ask("POST", "/v1/mailbox", register.Envelopes{Envelopes: []*register.Envelope{x.envelope(y, id)}}, &answer)
	if len(answer.Done) != 0 || len(answer.Refused) != 1 {
		t.Errorf("A1: a template of a subject without a permit was taken: %+v", answer)
	}
	forged := x.envelope(y, other)
	forged.From = "till-2"
	x.ask("POST", "/v1/mailbox", register.Envelopes{Envelopes: []*register.Envelope{forged}}, &answer)
	if len(answer.Done) != 0 {
		t.Error("an envelope in another terminal's name was taken")
	}
	y.sync(0)
	y.verify(<-y.wait(), false) // mail that came before the question does not wait
	x.ask("POST", "/v1/mailbox/taken", map[string][]string{"ids": {e2.ID()}}, nil)
	if len(y.mail()) != 1 {
		t.Error("a terminal emptied another's mailbox")
	}
	y.ask("POST", "/v1/mailbox/taken", map[string][]string{"ids": {e2.ID(), "gone"}}, nil)
	if len(y.mail()) != 0 {
		t.Error("what was taken out is still there")
	}
}

// wipeReceipt makes a receipt with the log that terminals keep.
func (x *terminal) wipeReceipt(id consent.SubjectID, seq uint64) string {
	x.t.Helper()
	name, secret := audit.Origin(x.site, x.name), append([]byte{1}, x.sign.Seed()...)
	public := append([]byte{1}, x.sign.Public().(pub)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(sum[:]), base64.StdEncoding.EncodeToString(secret)))
	if err != nil {
		x.t.Fatal(err)
	}
	plain := func(_ int64, text []byte) ([]byte, error) { return text, nil }
	log := audit.Log{Signer: signer, Seal: plain, Open: plain}
	db, err := bbolt.Open(filepath.Join(x.t.TempDir(), "log"), 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		x.t.Fatal(err)
	}
	defer db.Close()
	var text string
	err = db.Update(func(tx *bbolt.Tx) error {
		if err := audit.Init(tx); err != nil {
			return err
		}
		n, err := log.Append(tx, audit.Event{Kind: audit.Wipe, At: start, Subject: id, Row: "A12", Seq: seq, Epoch: 2, Count: 3, Places: []string{"gallery", "key", "records"}})
		if err != nil {
			return err
		}
		r, err := log.Receipt(tx, x.site, x.name, n)
		text = r.Text
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return text
}

func TestAReceiptIsTakenOnlyIfItVerifies(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	s := serve(t, h.Handler(), h)
	x, y := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	if _, err := h.Withdraw(t.Context(), "oakfield", "office", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	x.sync(0)
	text := x.wipeReceipt(id, x.last.Size)
	report := func(name, body string, about consent.SubjectID) register.Report {
		return register.Report{ID: name, Kind: register.ReportReceipt, Seq: x.last.Size, Subject: about, At: start, Body: body}
	}
	var answer register.Accepted
	x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{
		report("good", text, id),
		report("changed", strings.Replace(text, "count: 3", "count: 4", 1), id),
		report("another's", y.wipeReceipt(id, 1), id),
		report("about somebody else", text, "p_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	}}, &answer)
	if !slices.Equal(answer.Done, []string{"good"}) || len(answer.Refused) != 3 {
		t.Fatalf("%+v, want only the good one", answer)
	}
	x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{report("good", text, id)}}, &answer)
	if !slices.Equal(answer.Done, []string{"good"}) {
		t.Errorf("sent again: %+v", answer)
	}
	all, err := h.Reports(t.Context(), "oakfield", register.ReportReceipt, id, 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d receipts: %v", len(all), err)
	}
	if _, err := audit.VerifyReceipt(all[0].Body, all[0].Key); err != nil {
		t.Errorf("the stored receipt does not verify with the key beside it: %v", err)
	}
}

func TestARefusalAtTheTillIsAStatement(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	refusal := register.Report{ID: "r1", Kind: register.ReportRefusal, Subject: id, At: time.Unix(0, 0), Operator: "anne"} // a clock that was never set
	var answer register.Accepted
	for range 2 {
		x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{refusal}}, &answer)
	}
	said := decisions(x.sync(0), id)
	if len(said) == 0 || slices.ContainsFunc(said, func(d consent.Decision) bool { return d != consent.Erase }) {
		t.Fatalf("A3: after a refusal at the till: %v", said)
	}
	if answer.Head >= x.last.Size {
		t.Errorf("no entry after %d shows the terminal that the hub knows", answer.Head)
	}
	d, err := h.Subject(t.Context(), "oakfield", id)
	if err != nil {
		t.Fatal(err)
	}
	last := d.Statements[len(d.Statements)-1]
	if len(d.Statements) != 4 || last.Kind != consent.Refusal || last.TakenBy != "till-1/anne" || !last.At.Equal(start) {
		t.Errorf("recorded as %+v (%d statements)", last, len(d.Statements))
	}
}

func TestALaterYesAnswersARefusalThatArrivesLate(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	refused := start
	c.move(time.Hour)
	d, err := h.AddStatement(t.Context(), "oakfield", "office", id, consent.Statement{By: string(id), Capacity: consent.Child, Kind: consent.Consent,
		Form: consent.Written, At: c.now(), Purpose: consent.CanteenIdentification, Modality: consent.Finger})
	if err != nil || d != consent.Permit {
		t.Fatal(d, err)
	}
	var answer register.Accepted
	x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{{ID: "late", Kind: register.ReportRefusal, Subject: id, At: refused}}}, &answer)
	entries := x.sync(0)
	if said := decisions(entries, id); slices.Contains(said, consent.Erase) || len(said) == 0 || entries[len(entries)-1].Seq <= answer.Head {
		t.Errorf("%v, want the permit restated after %d", said, answer.Head)
	}
}

func TestASecondSiteSeesNothingOfTheFirst(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	if err := h.AddSite(t.Context(), Site{ID: "elmwood", Name: "Elmwood School", Profile: permitting}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, h.Handler(), h)
	x, y := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "elmwood", "till-1")
	for _, e := range y.sync(0) {
		if e.Subject != nil {
			t.Errorf("elmwood was told of %s", e.Subject.ID)
		}
	}
	if status, body := y.raw("POST", "/v1/people", []byte(`{"subjects":["`+string(id)+`"]}`), true); status != http.StatusOK || len(body) != 0 {
		t.Errorf("elmwood asked for oakfield's person: %d %s", status, body)
	}
	var answer register.Accepted
	refusal := register.Report{ID: "r1", Kind: register.ReportRefusal, Subject: id, At: start}
	y.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{refusal}}, &answer)
	if len(answer.Done) != 0 {
		t.Error("elmwood recorded a refusal of oakfield's pupil")
	}
	y.site = "oakfield" // signs as if it were oakfield's till-1
	if status, _ := y.raw("GET", "/v1/register?after=0&wait=0", nil, true); status != http.StatusUnauthorized {
		t.Errorf("elmwood's terminal passed as oakfield's: %d", status)
	}
	px, _ := h.keys.sitePepper("oakfield")
	if py, _ := h.keys.sitePepper("elmwood"); bytes.Equal(px, py) || !bytes.Equal(px, x.pepper) {
		t.Error("two sites share a pepper, or a terminal has another one than the hub")
	}
}

func TestPeopleOfALeaverAreNotHandedOut(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	if err := h.Leave(t.Context(), "oakfield", "office", id); err != nil {
		t.Fatal(err)
	}
	entries := x.sync(0)
	if last := entries[len(entries)-1].Subject; last == nil || !last.Leaver {
		t.Errorf("the last entry does not say that the pupil left: %+v", entries[len(entries)-1])
	}
	body, _ := json.Marshal(register.PeopleRequest{Subjects: []consent.SubjectID{id}})
	if status, out := x.raw("POST", "/v1/people", body, true); status != http.StatusOK || len(out) != 0 {
		t.Errorf("%d %s", status, out)
	}
}
