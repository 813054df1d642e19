package hub

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/tillprint/tillprint/deploy/test/chrome"
)

// save clicks a link and returns what the browser has saved for it.
func (d *desk) save(link string) []byte {
	d.t.Helper()
	dir, events := d.t.TempDir(), true
	progress := chromedp.Events(d.ctx, protocol.DownloadProgress)
	_, err := chromedp.Call(d.ctx, protocol.SetDownloadBehavior, protocol.SetDownloadBehaviorParams{
		Behavior: protocol.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: &events})
	if err != nil {
		d.t.Fatal(err)
	}
	d.step("save", chromedp.Click(chromedp.CSS(link)))
	for e, err := range progress {
		if err != nil {
			d.t.Fatal(err)
		}
		if e.State == protocol.DownloadProgressStateCompleted {
			file, err := os.ReadFile(filepath.Join(dir, e.GUID))
			if err != nil {
				d.t.Fatal(err)
			}
			return file
		}
	}
	d.t.Fatalf("nothing was saved for %s", link)
	return nil
}

// text is what an element says.
func (d *desk) text(selector string) (said string) {
	d.t.Helper()
	d.step("read "+selector, chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		said, err = chromedp.Evaluate[string](`document.querySelector("`+selector+`").innerText`)(ctx, t)
		return err
	}))
	return said
}

// The office lets a till PC in on its own page, with a file that opens by the password shown beside it and is not shown again, and revokes it.
func TestTillBrowsersInABrowser(t *testing.T) {
	h, _ := newHub(t)
	smith := newDesk(t, h, "smith")
	smith.step("none", smith.open("/office/browsers"), on("Browsers of the tills"), chrome.Has("None yet"), smith.axe.Passes("no browsers"))
	smith.step("let in", fill("/browsers", "name", "kitchen-pc"), press("Let it in"), chrome.Has("kitchen-pc is let in"), smith.axe.Passes("a browser let in"))
	key, own, _, err := pkcs12.DecodeChain(smith.save(`a[download="kitchen-pc.p12"]`), smith.text(`#new ~ p code`))
	if err != nil || key == nil {
		t.Fatalf("the file and the password on the page: %v", err)
	}
	block, _ := pem.Decode(smith.save(`a[href="/office/browsers/authority.crt"]`))
	if block == nil {
		t.Fatal("the authority's file is no PEM")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := own.CheckSignatureFrom(root); err != nil {
		t.Errorf("the authority on the page has not signed what is in the file: %v", err)
	}
	smith.step("not again", smith.open("/office/browsers"), on("Browsers of the tills"), chrome.Until(`document.querySelector("[download]") === null`), chrome.Has("kitchen-pc"))
	smith.wantNoComplaints()
	smith.step("the same name", fill("/browsers", "name", "kitchen-pc"), press("Let it in"), on("Not done"), chrome.Has("there is a browser kitchen-pc already"))
	smith.step("revoke", smith.open("/office/browsers"), on("Browsers of the tills"), press("Revoke kitchen-pc"), on("Browsers of the tills"), chrome.Has("None yet"))
	all, err := h.TillBrowsers(t.Context(), "oakfield")
	if err != nil || len(all) != 1 || all[0].Revoked.IsZero() {
		t.Errorf("the hub knows of %+v, %v", all, err)
	}
}
