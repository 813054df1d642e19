package terminald

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store/disposal"
)

// A technician ends a terminal over the school's network and has its certificate there, though the page's own key was stored with
// all that is destroyed. Staff cannot end it and are only told; a browser that was not let in sees nothing.
func TestDecommissionOverTheNetwork(t *testing.T) {
	k := newCanteen(t)
	k.c.Page.Network = free(t)
	k.start()
	defer k.stop()
	technician, staff, stranger := k.client(k.admit("oakfield", "toolbox", true)), k.client(k.admit("oakfield", "kitchen", false)), k.client(nil)
	if status, page := k.visit(technician, k.page+"/technician"); status != 200 || !strings.Contains(page, "till-1") {
		t.Fatalf("%d %s", status, page)
	}
	r, err := staff.PostForm(k.page+"/technician/decommission", url.Values{"terminal": {"till-1"}})
	k.must(err)
	if r.Body.Close(); r.StatusCode != 403 || exists(k.c.orderPath()) {
		t.Fatalf("staff: %s", r.Status)
	}
	r, err = technician.PostForm(k.page+"/technician/decommission", url.Values{"terminal": {"till-1"}})
	k.must(err)
	if r.Body.Close(); r.StatusCode != 200 {
		t.Fatal(r.Status)
	}
	var text string
	for late, status := time.After(time.Minute), 0; status != 200; {
		select {
		case <-late:
			t.Fatalf("no certificate on the network: %d %s", status, text)
		case <-time.After(5 * time.Millisecond):
		}
		status, text = k.visit(technician, k.page+"/technician/certificate")
	}
	if lines, err := disposal.Verify(text, k.term.Store.VerifierKey()); err != nil || lines["Terminal"] != "till-1" {
		t.Errorf("%v: %s", err, text)
	}
	if status, page := k.visit(staff, k.page+"/"); status != 200 || !strings.Contains(page, "has been decommissioned") || strings.Contains(page, disposal.Title) {
		t.Errorf("staff: %d %s", status, page)
	}
	if status, _ := k.visit(staff, k.page+"/technician/certificate"); status != 403 {
		t.Errorf("staff has the certificate: %d", status)
	}
	if status, page := k.visit(stranger, k.page+"/"); status != 0 {
		t.Errorf("a stranger: %d %s", status, page)
	}
}
