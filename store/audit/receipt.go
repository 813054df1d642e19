package audit

import (
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/consent"
)

// Receipt is a terminal's signed word that it wiped what it held about a subject (D2).
type Receipt struct {
	Site, Terminal string
	Subject        consent.SubjectID
	Event          Event  // the record in the log
	Record         int64  // its number there
	Text           string // the whole receipt, as it is kept, sent and verified
}

// The sections of a receipt. Everything is ASCII but the dash of the signature line, which the note format demands.
const (
	receiptTitle    = "Tillprint wipe receipt 1\n"
	recordTitle     = "\nAudit record:\n"
	leafTitle       = "\nHash of the record and proof that the log holds it:\n"
	checkpointTitle = "\nSigned head of the log:\n"
)

// Receipt writes the receipt of record n, which must be a wipe, against the present head of the log.
func (l *Log) Receipt(tx *bbolt.Tx, site, terminal string, n int64) (Receipt, error) {
	checkpoint, err := l.Checkpoint(tx)
	if err != nil {
		return Receipt{}, err
	}
	return l.ReceiptAt(tx, checkpoint, site, terminal, n)
}

// ReceiptAt is Receipt with a checkpoint of this transaction at hand, for many receipts under one signature.
func (l *Log) ReceiptAt(tx *bbolt.Tx, checkpoint, site, terminal string, n int64) (Receipt, error) {
	text, err := l.text(tx, n)
	if err != nil {
		return Receipt{}, err
	}
	event, err := ParseEvent(string(text))
	if err != nil {
		return Receipt{}, err
	}
	if event.Kind != Wipe {
		return Receipt{}, fmt.Errorf("audit: record %d is a %s, not a wipe", n, event.Kind)
	}
	proof, err := tlog.ProveRecord(Size(tx), n, reader(tx))
	if err != nil {
		return Receipt{}, fmt.Errorf("audit: proving record %d: %w", n, err)
	}
	r := Receipt{Site: site, Terminal: terminal, Subject: event.Subject, Event: event, Record: n}
	r.Text = r.render(string(text), tlog.RecordHash(text), proof, checkpoint)
	return r, nil
}

// render writes the text. Verification writes it again from what it has read and compares, so every byte counts.
func (r Receipt) render(record string, leaf tlog.Hash, proof tlog.RecordProof, checkpoint string) string {
	var b strings.Builder
	b.WriteString(receiptTitle)
	b.WriteString(r.header())
	b.WriteString(recordTitle)
	b.WriteString(record)
	fmt.Fprintf(&b, "%s%s\n", leafTitle, leaf)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteString(checkpointTitle)
	b.WriteString(checkpoint)
	return b.String()
}

// header is the part for people. It repeats the record, plus whose receipt it is.
func (r Receipt) header() string {
	e := r.Event
	return fmt.Sprintf("\nSite: %s\nTerminal: %s\nSubject: %s\nTemplates removed: %d\nPlaces cleared: %s\n"+
		"Register sequence: %d\nKey epoch: %d\nTrigger: %s\nTime: %s\nLog record: %d\n",
		r.Site, r.Terminal, r.Subject, e.Count, strings.Join(e.Places, " "), e.Seq, e.Epoch, e.Row,
		e.At.UTC().Format("2006-01-02T15:04:05Z"), r.Record)
}
