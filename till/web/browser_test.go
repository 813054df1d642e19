package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/crypto/argon2"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/deploy/test/chrome"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/till"
)

// canteen is a whole terminal behind the pages: store, custody, gallery, and a
// simulated sensor on a real pseudo-terminal.
type canteen struct {
	t       testing.TB
	till    *till.Till
	store   *store.Store
	custody *custody.Custody
	sim     *zfmsim.Sim
	rand    *rand.ChaCha8
	seq     uint64
	fingers map[string]*synth.Master
	ids     map[string]consent.SubjectID
	digits  atomic.Int32 // length of PINs, as the hub would say it; 0 is the usual
}

var pepper = []byte("pepper of the browser's site")

func newCanteen(t testing.TB) *canteen {
	c := &canteen{t: t, rand: rand.NewChaCha8([32]byte{3}), fingers: map[string]*synth.Master{}, ids: map[string]consent.SubjectID{}}
	var err error
	if c.store, err = store.Create(t.TempDir()+"/store", &keyslot.Memory{Rand: c.rand}, store.Identity{Site: "st-mary", Terminal: "till-1"}, store.Options{Rand: c.rand}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.store.Close() })
	gallery := matcher.NewGallery()
	if c.custody, err = custody.Open(c.store, gallery); err != nil {
		t.Fatal(err)
	}
	c.must(c.custody.SetLease(time.Now().Add(time.Hour)))
	c.admit("Amina Khan", "7B", "493201", consent.Permit, []string{"Nuts", "Vegetarian"}, true)
	c.admit("Ben Owusu", "8A", "200300", consent.Permit, nil, false)
	c.admit("Zoë Müller", "9C", "100200", consent.Erase, []string{"Milk"}, true)
	c.enrol("Amina Khan")
	if c.sim, err = zfmsim.New(zfmsim.Options{Model: zfmsim.R503, Seed: 1, Grain: true}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	simDone, tillDone := make(chan struct{}), make(chan struct{})
	go func() { defer close(simDone); c.sim.Run(ctx) }()
	c.till, err = till.New(till.Config{Biometrics: true}, till.Parts{PINDigits: func() int { return int(c.digits.Load()) }, Gallery: gallery, Custody: c.custody, People: c.store, Pepper: pepper,
		Audit: c.store.Append, Rand: rand.NewChaCha8([32]byte{4}), // the store draws beside it

		Lamps: func() []till.Lamp {
			return []till.Lamp{{Part: "Hub", Words: "in touch"}, {Part: "Lease", Words: "7 days"}}
		},
		OpenScanner: func(ctx context.Context) (till.Scanner, error) {
			m, err := zfm.Open(ctx, c.sim.Path(), zfm.Options{Reply: 400 * time.Millisecond})
			if err != nil {
				return nil, err
			}
			return m, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { defer close(tillDone); c.till.Run(ctx) }()
	t.Cleanup(func() { stop(); <-tillDone; c.sim.Close(); <-simDone })
	return c
}

func (c *canteen) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *canteen) admit(name, form, digits string, d consent.Decision, dietary []string, photo bool) {
	c.t.Helper()
	id, err := consent.NewSubjectID(c.rand)
	c.must(err)
	salt := []byte("salt of a test")
	b := base64.RawStdEncoding
	p := store.Person{Name: name, Form: form, Dietary: dietary, PINIndex: pin.Index(pepper, []byte(digits)),
		PINVerifier: fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", b.EncodeToString(salt), b.EncodeToString(argon2.IDKey(pin.Secret(pepper, []byte(digits)), salt, 1, 8, 1, 32)))}
	if photo {
		p.Photo = portrait(uint8(len(name)))
	}
	c.seq++
	_, err = c.custody.Apply(context.Background(), []store.Change{{Seq: c.seq, Subject: id, Standing: store.Standing{Decision: d, Reasons: []string{"A1"}}, Person: &p}}, c.seq, nil)
	c.must(err)
	c.ids[name] = id
	c.fingers[name] = synth.NewMaster(uint64(len(c.fingers)) + 1)
}

// portrait draws a face that nobody has: a photo for tests and pictures.
func portrait(seed uint8) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 208, 256))
	in := func(x, y, cx, cy, rx, ry int) bool { dx, dy := (x-cx)*ry, (y-cy)*rx; return dx*dx+dy*dy < rx*rx*ry*ry }
	for y := range 256 {
		for x := range 208 {
			c := color.RGBA{214 - uint8(y/8), 228 - uint8(y/10), 226, 255}
			switch {
			case in(x, y, 104, 112, 44, 54) && !in(x, y, 104, 78, 40, 26):
				c = color.RGBA{190 - seed, 140 - seed, 108, 255}
			case in(x, y, 104, 100, 56, 60):
				c = color.RGBA{52, 38 + seed, 34, 255}
			case in(x, y, 104, 178, 18, 30):
				c = color.RGBA{176 - seed, 128 - seed, 98, 255}
			case in(x, y, 104, 268, 92, 76):
				c = color.RGBA{26, 84 + 3*seed, 110, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 88}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (c *canteen) image(name string, impression uint64) *sample.Sample {
	return sample.R503.Press(c.fingers[name].Impression(impression, synth.Conditions{Noise: 0.1, ShiftX: float64(impression)}))
}

func (c *canteen) enrol(name string) {
	c.t.Helper()
	var records []store.TemplateRecord
	for i := range uint64(3) {
		tmpl, err := extract.New().Extract(c.image(name, i+1))
		c.must(err)
		data, err := tmpl.MarshalBinary()
		c.must(err)
		records = append(records, store.TemplateRecord{Subject: c.ids[name], Finger: 2, Data: data, Enrolled: time.Now()})
	}
	c.must(c.custody.Enrol(context.Background(), records))
}

// TestBrowser walks each route on the real page, in a real browser, with a
// simulated sensor behind it, mostly by keyboard.
func TestBrowser(t *testing.T) {
	ctx := chrome.Open(t, time.Minute)
	c := newCanteen(t)
	server := httptest.NewServer(Handler(Deps{Till: c.till, Site: "St Mary’s"}))
	defer server.Close()
	defer server.CloseClientConnections() // the pages' event streams would hold Close up
	shot := func(string) chrome.Act { return chromedp.Steps() }
	if dir := os.Getenv("TILLPRINT_SCREENSHOTS"); dir != "" { // a folder: one picture of each step
		shot = func(name string) chrome.Act { return chrome.Picture(dir + "/" + name + ".png") }
	}
	step := func(name string, actions ...chrome.Act) {
		t.Helper()
		limit, stop := context.WithTimeout(ctx, 20*time.Second)
		defer stop()
		if err := chromedp.Do(limit, actions...); err != nil {
			html, _ := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("#left")))
			t.Fatalf("%s: %v\n%s", name, err, html)
		}
	}
	state := func(s string) chrome.Act {
		return chrome.Until(`document.querySelector('#desk [data-state="` + s + `"]') !== null`)
	}
	has, until := chrome.Has, chrome.Until

	complaints, axe := chrome.Complaints(t, ctx), chrome.LoadAxe(t)
	step("open", chromedp.Navigate(server.URL+"/"), state("idle"), has("ready"), shot("1-idle"), axe.Passes("idle"))

	step("finger", keystroke("F1"), state("reading"), shot("2-reading"), axe.Passes("reading"))
	c.must(c.sim.Press(c.image("Amina Khan", 9)))
	step("finger found", state("proposed"), has("Amina Khan"), has("Vegetarian"))
	step("screenshot", shot("3-proposed"), axe.Passes("proposed"))
	if path := os.Getenv("TILLPRINT_SCREENSHOT"); path != "" {
		step("screenshot", chromedp.EmulateViewport(1024, 768), chrome.Picture(path), chromedp.ResetViewport())
	}
	step("confirm", keystroke("Enter"), state("served"), shot("4-served"), axe.Passes("served"))
	c.sim.Lift()

	step("PIN", keystroke("F2"), state("keying"), keystroke("4"), keystroke("9"), keystroke("3"), until(`document.querySelectorAll(".dots i.on").length === 3`), shot("5-pin"), axe.Passes("pin"),
		keystroke("2"), keystroke("0"), keystroke("1"), state("proposed"), has("Amina Khan"), has("Served here today already"))
	step("not them", keystroke("F9"), state("try-again"), shot("6-again"), axe.Passes("again"))

	step("name", keystroke("F3"), state("looking"), chromedp.SendKeys(chromedp.CSS("#q"), "mull"), chromedp.WaitVisible(chromedp.CSS(".found .who")), shot("7-names"), axe.Passes("names"),
		chromedp.Click(chromedp.CSS(".found .who")), state("proposed"), has("Zoë Müller"), keystroke("Enter"), state("served"))

	step("cash", keystroke("F4"), has("Cash"), state("served"))
	step("outside", chromedp.SendKeys(chromedp.CSS("#reference"), "PP-77\r"), state("proposed"), has("PP-77"), keystroke("Escape"), state("idle"))

	step("refuse", keystroke("F3"), state("looking"), chromedp.SendKeys(chromedp.CSS("#q"), "amina"), chromedp.WaitVisible(chromedp.CSS(".found .who")),
		chromedp.Click(chromedp.CSS(".found .who")), state("proposed"), keystroke("F8"), state("refused"), has("Noted and written"), shot("8-refused"), axe.Passes("refused"))
	if ok, _ := c.custody.Permitted(c.ids["Amina Khan"], time.Now()); ok {
		t.Error("a refusal on the page did not reach custody")
	}
	step("serve after the refusal", keystroke("Enter"), state("proposed"), keystroke("Enter"), state("served"))

	step("enrol", keystroke("F3"), state("looking"), chromedp.SendKeys(chromedp.CSS("#q"), "ben"), chromedp.WaitVisible(chromedp.CSS(".found .small")),
		chromedp.Click(chromedp.CSS(".found .small")), state("enrol-notice"), has("You can say no"), shot("9-notice"), axe.Passes("notice"),
		chromedp.Click(chromedp.CSS("#enrol-yes")), state("enrol-press"), shot("10-press"), axe.Passes("press"), chromedp.Click(chromedp.CSS("#enrol-no")), state("refused"))

	c.digits.Store(4)
	c.admit("Cara Lee", "7B", "4321", consent.Erase, nil, false)
	c.till.PeopleChanged()
	step("a short PIN", keystroke("Escape"), state("idle"), keystroke("F2"), state("looking"), has("Find the name first"), chromedp.SendKeys(chromedp.CSS("#q"), "cara"),
		chromedp.WaitVisible(chromedp.CSS(".found .small")), chromedp.Click(chromedp.CSS(".found .small")), state("keying"), shot("13-claimed"), axe.Passes("claimed"),
		keystroke("4"), keystroke("3"), keystroke("2"), keystroke("1"), state("proposed"), has("Cara Lee"), keystroke("Escape"), state("idle"))

	step("pupil", chromedp.Navigate(server.URL+"/pupil"), has("Welcome"), shot("11-pupil"), axe.Passes("pupil"))
	c.must(c.till.Choose(context.Background(), c.ids["Zoë Müller"]))
	step("pupil's name", has("Hello Zoë M."), shot("12-pupil-hello"), axe.Passes("pupil-hello"))
	if found := complaints(); len(found) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(found, "\n"))
	}
}
