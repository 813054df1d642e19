package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

// pupilOf makes a pupil with two parents who have consented, all of whose
// words carry the mark.
func pupilOf(mark string) hub.NewSubject {
	adult := func(n int) hub.Adult {
		return hub.Adult{Name: fmt.Sprintf("parent-%d-of-%s", n, mark),
			Responsible: consent.Responsible{ID: fmt.Sprintf("%s-%d", mark, n), Capacity: consent.Parent, ParentalResponsibility: true}}
	}
	said := consent.Statement{ID: "s-" + mark, By: mark + "-1", Capacity: consent.Parent, Kind: consent.Consent, Form: consent.Written,
		At: time.Now().AddDate(0, 0, -1), Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: "v1", Evidence: "form-" + mark, TakenBy: "office"}
	return hub.NewSubject{Class: consent.Pupil, Name: "name-of-" + mark, Form: "7B", Dietary: []string{"diet-" + mark}, PIN: true,
		Eighteenth: consent.DateOf(time.Now().AddDate(6, 0, 0)), LeavesOn: consent.DateOf(time.Now().AddDate(5, 0, 0)),
		Responsible: []hub.Adult{adult(1), adult(2)}, Statements: []consent.Statement{said}}
}

// TestI8ARecordNamesNobodyElse asks the office's interface for all that the hub
// has about one pupil (F7): nothing of another pupil may be in it, be they of
// the same class or of the same family name.
func TestI8ARecordNamesNobodyElse(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	if err := hub.Init(dir, nil, rand.Reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	h, err := hub.Open(ctx, hub.Config{Dir: dir, Addresses: []string{"https://localhost:8443"}, Lease: time.Hour,
		PIN: hub.Cost{Passes: 1, KiB: 8, Threads: 1}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	token, ids := found(ctx, t, h)
	for i, own := range ids {
		text := asked(t, h, token, "/office/api/subjects/"+string(own))
		text += asked(t, h, token, "/office/api/reports?subject="+string(own))
		for j, other := range ids {
			mark := fmt.Sprintf("mark%d", j)
			names := strings.Contains(text, mark) || strings.Contains(text, string(other))
			if names != (i == j) {
				t.Errorf("the record of pupil %d and pupil %d: named %v", i, j, names)
			}
		}
	}
}

// found makes a site with three pupils and a token of its office.
func found(ctx context.Context, t *testing.T, h *hub.Hub) (token string, ids []consent.SubjectID) {
	t.Helper()
	site := hub.Site{ID: "oakfield", Name: "Oakfield School",
		Profile: consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{"v1"}}}
	if err := h.AddSite(ctx, site); err != nil {
		t.Fatal(err)
	}
	var people []hub.NewSubject
	for i := range 3 {
		people = append(people, pupilOf(fmt.Sprintf("mark%d", i)))
	}
	added, err := h.AddSubjects(ctx, site.ID, "office", people)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range added {
		ids = append(ids, a.Subject)
	}
	if token, err = h.NewOfficeToken(ctx, site.ID, "office"); err != nil {
		t.Fatal(err)
	}
	return token, ids
}

func asked(t *testing.T, h *hub.Hub, token, path string) string {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.Office().ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %v: %s", path, w.Code, err, text)
	}
	return string(text)
}
