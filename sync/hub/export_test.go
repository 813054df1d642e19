package hub

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/register"
)

func ageKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func request(id consent.SubjectID, key *age.X25519Identity) export.Order {
	return export.Order{Subject: id, Recipient: key.Recipient().String(), Requester: "the pupil", Identity: "known to the office"}
}

func TestAnExportNeedsTwoPeople(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	key := ageKey(t)
	for name, bad := range map[string]export.Order{
		"nobody asks":         {Subject: id, Recipient: key.Recipient().String(), Identity: "seen"},
		"identity unchecked":  {Subject: id, Recipient: key.Recipient().String(), Requester: "a parent"},
		"to a secret key":     {Subject: id, Recipient: key.String(), Requester: "a parent", Identity: "seen"},
		"about no subject":    {Subject: "Ada", Recipient: key.Recipient().String(), Requester: "a parent", Identity: "seen"},
		"about somebody else": {Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", Recipient: key.Recipient().String(), Requester: "a parent", Identity: "seen"},
	} {
		if _, err := h.AskExport(t.Context(), "oakfield", "smith", bad); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	order, err := h.AskExport(t.Context(), "oakfield", "smith", request(id, key))
	if err != nil {
		t.Fatal(err)
	}
	c.move(time.Minute)
	if _, err := h.ExportFile(t.Context(), "oakfield", "smith", order); !errors.Is(err, ErrInvalid) {
		t.Errorf("G13: fetched before it was confirmed: %v", err)
	}
	if err := h.ConfirmExport(t.Context(), "oakfield", "smith", order); !errors.Is(err, ErrInvalid) {
		t.Errorf("G13: confirmed by the one who asked: %v", err)
	}
	if len(x.sync(0)) != 0 {
		t.Fatal("a terminal was ordered before the second person confirmed")
	}
	for range 2 { // the second press changes nothing
		if err := h.ConfirmExport(t.Context(), "oakfield", "jones", order); err != nil {
			t.Fatal(err)
		}
	}
	entries := x.sync(0)
	if len(entries) != 1 || entries[0].Terminal != "till-1" || entries[0].Command.Do != register.Export || entries[0].Command.Order.Subject != id {
		t.Fatalf("the terminal's order: %+v", entries)
	}
	if status, _ := x.raw("POST", "/v1/exports", []byte(`{"order":"x_0000000000000000","sealed":""}`), true); status != 404 {
		t.Errorf("a part of nothing: status %d", status)
	}
	x.ask("POST", "/v1/exports", register.ExportPart{Order: order, Sealed: []byte("age-encryption.org/v1 sealed")}, nil)
	list, err := h.Exports(t.Context(), "oakfield", id)
	if err != nil || len(list) != 1 || len(list[0].Awaited) != 0 || list[0].AskedBy != "smith" || list[0].ConfirmedBy != "jones" {
		t.Errorf("the list: %+v, %v", list, err)
	}
	bundle, err := h.ExportFile(t.Context(), "oakfield", "smith", order)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := export.Unbundle(bundle)
	if err != nil || len(parts) != 2 || parts[0].Name != "hub.age" || parts[1].Name != "till-1.age" {
		t.Fatalf("the parts: %v, %v", parts, err)
	}
	c.move(32 * 24 * time.Hour)
	if err := h.closeExports(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := h.Exports(t.Context(), "oakfield", ""); err != nil || len(list) != 0 {
		t.Errorf("after a month: %+v, %v", list, err)
	}
	if status, _ := x.raw("POST", "/v1/exports", []byte(fmt.Sprintf(`{"order":%q,"sealed":""}`, order)), true); status != 404 {
		t.Errorf("a part that comes after a month: status %d", status)
	}
}

// TestI8TheHubsPartIsOfOnePersonAlone exports people of random schools, opens every file and looks for anybody else.
func TestI8TheHubsPartIsOfOnePersonAlone(t *testing.T) {
	h, c := newHub(t)
	if err := h.AddOfficer(t.Context(), "oakfield", "xstaffx", "correct horse 9"); err != nil {
		t.Fatal(err)
	}
	key := ageKey(t)
	taken := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		mark := rapid.StringMatching(`Q[xzj][a-z]{4}q`).Filter(func(m string) bool { return !taken[m] })
		marks := rapid.SliceOfNDistinct(mark, 2, 4, rapid.ID[string]).Draw(rt, "marks")
		var people []NewSubject
		for _, m := range marks {
			taken[m] = true
			people = append(people, marked(m))
		}
		added, err := h.AddSubjects(t.Context(), "oakfield", "xstaffx", people)
		if err != nil {
			rt.Fatal(err)
		}
		own := rapid.IntRange(0, len(marks)-1).Draw(rt, "whose")
		order, err := h.AskExport(t.Context(), "oakfield", "xstaffx", request(added[own].Subject, key))
		if err != nil {
			rt.Fatal(err)
		}
		c.move(time.Second)
		if err := h.ConfirmExport(t.Context(), "oakfield", "second", order); err != nil {
			rt.Fatal(err)
		}
		bundle, err := h.ExportFile(t.Context(), "oakfield", "second", order)
		if err != nil {
			rt.Fatal(err)
		}
		text := opened(rt, bundle, key.String())
		for i, m := range marks {
			if got := strings.Contains(text, m); got != (i == own) {
				rt.Errorf("the words of person %d in the export of person %d: %v", i, own, got)
			}
			if got := strings.Contains(text, string(added[i].Subject)); got != (i == own) {
				rt.Errorf("the pseudonym of person %d in the export of person %d: %v", i, own, got)
			}
			if strings.Contains(text, "parent of "+m) {
				rt.Errorf("a parent of person %d is named", i)
			}
			if strings.Contains(text, added[i].PIN) {
				rt.Errorf("the PIN of person %d is in the export", i)
			}
		}
		for _, word := range []string{"xstaffx", "$argon2id$", "cannot-be-found"} {
			if strings.Contains(text, word) {
				rt.Errorf("%q is in the export", word)
			}
		}
	})
}

// marked is a pupil all of whose words carry a mark, with one parent who has consented and one who cannot be found.
func marked(mark string) NewSubject {
	p := pupil(mark + " Ng")
	p.Form, p.Dietary, p.Photo, p.PIN = mark+"7B", []string{mark + " nuts"}, []byte("photo of "+mark), true
	p.Responsible = []Adult{
		{consent.Responsible{ID: "g_1", Capacity: consent.Parent, ParentalResponsibility: true}, "parent of " + mark},
		{consent.Responsible{ID: "g_2", Capacity: consent.Parent, ParentalResponsibility: true}, "other parent of " + mark},
	}
	for i := range p.Statements {
		p.Statements[i].Evidence = "form " + mark
	}
	exempt := p.Statements[0]
	exempt.ID, exempt.By, exempt.Kind, exempt.Ground, exempt.TakenBy = "exempt", "g_2", consent.Exempt, consent.NotFound, "xstaffx"
	p.Statements = append(p.Statements, exempt)
	return p
}

// opened is all that a bundle holds, in clear.
func opened(t interface{ Fatal(...any) }, bundle []byte, key string) string {
	parts, err := export.Unbundle(bundle)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, p := range parts {
		_, files, err := export.Open(p.Data, key)
		if err != nil {
			t.Fatal(p.Name, err)
		}
		for _, f := range files {
			all.WriteString(f.Name + "\n")
			all.Write(f.Data)
		}
	}
	return all.String()
}

func TestF6HistoryOfOnePerson(t *testing.T) {
	h, _ := newHub(t)
	id, other := addPupil(t, h, "Ada Byron"), addPupil(t, h, "Noah Ng")
	if _, err := h.Withdraw(t.Context(), "oakfield", "smith", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	events, err := h.History(t.Context(), "oakfield", id)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range events {
		words = append(words, e.What)
	}
	for _, want := range []string{"office: recorded withdrawal (written)", "register: entry 2, permit", "register: entry 4, erase"} {
		if !slices.Contains(words, want) {
			t.Errorf("the history lacks %q: %q", want, words)
		}
	}
	if later, err := h.History(t.Context(), "oakfield", other); err != nil || len(later) >= len(events) {
		t.Errorf("somebody else's history: %v, %v", later, err)
	}
}
