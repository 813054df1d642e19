package hub

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

func TestNotTheirFingers(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	s := serve(t, h.Handler(), h)
	x, y := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	x.sync(0)
	y.sync(0)
	if err := h.NotTheirs(t.Context(), "oakfield", "smith", id); err != nil {
		t.Fatal(err)
	}
	// A terminal that has not wiped yet must not hand the wrong finger on: its envelope is neither taken nor refused.
	offer := register.Envelopes{Envelopes: []*register.Envelope{x.envelope(y, id)}}
	var answer register.Accepted
	x.ask("POST", "/v1/mailbox", offer, &answer)
	if len(answer.Done)+len(answer.Refused) != 0 || len(y.mail()) != 0 {
		t.Errorf("a wrong finger is on its way: %+v", answer)
	}
	entries := x.sync(0)
	if d := decisions(entries, id); !slices.Equal(d, []consent.Decision{consent.Erase, consent.Permit}) || entries[0].Subject.Reasons[0] != "F4" {
		t.Errorf("the register says %v", d)
	}
	x.sync(0) // asks for what follows, which says what it has applied
	if x.ask("POST", "/v1/mailbox", offer, &answer); len(answer.Done) != 1 {
		t.Errorf("an envelope from a terminal that has wiped: %+v", answer)
	}
	if _, err := h.Withdraw(t.Context(), "oakfield", "smith", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	if err := h.NotTheirs(t.Context(), "oakfield", "smith", id); !errors.Is(err, ErrInvalid) {
		t.Errorf("I9: after a withdrawal: %v", err)
	}
	if d, err := h.Subject(t.Context(), "oakfield", id); err != nil || d.Standing.Decision != consent.Erase {
		t.Errorf("I9: %+v, %v", d, err)
	}
}

func TestCorrectingOnThePage(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byrom")
	b := officeOf(t, h)
	b.login()
	path := "/office/people/" + string(id)
	if status, _ := b.post(path+"/correct", url.Values{"name": {" Ada Byron "}, "form": {"9C"}, "dietary": {"nuts, , milk"}}); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	d, err := h.Subject(t.Context(), "oakfield", id)
	if err != nil || d.Name != "Ada Byron" || d.Form != "9C" || !slices.Equal(d.Dietary, []string{"nuts", "milk"}) || d.Standing.Person != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if status, _ := b.post(path+"/correct", url.Values{"name": {" "}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", status)
	}
	if status, _ := b.post(path+"/not-theirs", nil); status != http.StatusSeeOther {
		t.Errorf("not theirs: %d", status)
	}
}
