package terminald

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/web"
)

// canteen is a real hub with two schools, and a real daemon of the first one with its page on a network.
type canteen struct {
	t     *testing.T
	hub   *hub.Hub
	gone  func() // takes the hub away
	ahead atomic.Int64
	c     Config
	root  *x509.Certificate
	log   *slog.Logger

	term *Terminal
	page string // its address
	stop func()
}

func newCanteen(t *testing.T) *canteen {
	t.Helper()
	k := &canteen{t: t, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	k.must(err)
	dir := t.TempDir()
	k.must(hub.Init(dir, []string{"localhost"}, rand.Reader, time.Now()))
	k.hub, err = hub.Open(t.Context(), hub.Config{Dir: dir, Addresses: []string{"https://" + l.Addr().String()}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) }})
	k.must(err)
	server := &http.Server{Handler: k.hub.Handler(), TLSConfig: k.hub.TLS()}
	go server.ServeTLS(l, "", "")
	k.gone = func() { server.Close() }
	t.Cleanup(func() { server.Close(); k.hub.Close() })
	for _, id := range []string{"oakfield", "elm"} {
		k.must(k.hub.AddSite(t.Context(), hub.Site{ID: id, Name: id, Profile: consent.Profile{Purpose: consent.CanteenIdentification, Modality: consent.Finger}}))
	}
	code, err := k.hub.NewJoinCode(t.Context(), "oakfield", "office", "till-1")
	k.must(err)
	k.c = Default()
	k.c.Store.Dir, k.c.Sensor.Port = filepath.Join(t.TempDir(), "store"), ""
	k.c.Page.Listen, k.c.Page.Network, k.c.Sync.Wait = "127.0.0.1:0", "127.0.0.1:0", config.Length(time.Second)
	_, err = Join(t.Context(), k.c, code, "till-1")
	k.must(err)
	k.root, err = k.hub.Authority(t.Context(), "oakfield")
	k.must(err)
	return k
}

func (k *canteen) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// start runs the daemon until its page is on the network.
func (k *canteen) start() {
	k.t.Helper()
	ctx, cancel := context.WithCancel(k.t.Context())
	ready, served, done := make(chan *Terminal, 1), make(chan net.Addr, 1), make(chan error, 1)
	hooks := Hooks{Ready: func(t *Terminal) error { ready <- t; return nil }, Network: func(a net.Addr) { served <- a }}
	go func() { done <- Run(ctx, k.c, k.log, hooks) }()
	k.stop = func() { cancel(); k.must(<-done) }
	for k.term, k.page = nil, ""; k.term == nil || k.page == ""; {
		select {
		case k.term = <-ready:
		case a := <-served:
			k.page = "https://" + a.String()
		case err := <-done:
			k.t.Fatalf("the daemon ended: %v", err)
		}
	}
}

// admit lets a browser in at a school and returns it as it comes out of its file.
func (k *canteen) admit(site, name string, technician bool) *tls.Certificate {
	k.t.Helper()
	in, err := k.hub.AdmitBrowser(k.t.Context(), site, "office", name, technician, false)
	k.must(err)
	key, own, _, err := pkcs12.DecodeChain(in.File, in.Password)
	k.must(err)
	return &tls.Certificate{Certificate: [][]byte{own.Raw}, PrivateKey: key}
}

// client is a browser that trusts the school's authority and shows what it has, whatever it is asked for.
func (k *canteen) client(own *tls.Certificate, change ...func(*tls.Config)) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(k.root)
	c := &tls.Config{RootCAs: roots, Time: func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if own == nil {
				return &tls.Certificate{}, nil
			}
			return own, nil
		}}
	for _, f := range change {
		f(c)
	}
	t := &http.Transport{TLSClientConfig: c}
	k.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// visit reads the page and says what came of it: a status, or that there was no connection.
func (k *canteen) visit(c *http.Client, page string) (status int, body string) {
	k.t.Helper()
	r, err := c.Get(page)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err.Error()
	}
	return r.StatusCode, string(text)
}

// The page on the school's network is for browsers of the school that are let in, and for nobody else.
func TestWhoReachesThePageOverTheNetwork(t *testing.T) {
	k := newCanteen(t)
	k.start()
	kitchen, desk := k.admit("oakfield", "kitchen-pc", false), k.admit("oakfield", "it-desk", true)
	stolen, err := authority.New("oakfield", time.Now()) // somebody's own, with the same words
	k.must(err)
	forged, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.must(err)
	own, err := stolen.Browser(authority.Browser{Name: "kitchen-pc", Technician: true}, &forged.PublicKey, time.Now())
	k.must(err)
	pageKey, request, err := authority.NewPage([]string{"127.0.0.1"})
	k.must(err)
	answer, err := k.term.Hub.Page(t.Context(), request)
	k.must(err)
	key, err := x509.ParsePKCS8PrivateKey(pageKey)
	k.must(err)
	for _, c := range []struct {
		name   string
		client *http.Client
		want   int
	}{
		{"a browser that is let in", k.client(kitchen), http.StatusOK},
		{"a technician's", k.client(desk), http.StatusOK},
		{"no certificate", k.client(nil), 0},
		{"another school's browser", k.client(k.admit("elm", "kitchen-pc", false)), 0},
		{"another authority's", k.client(&tls.Certificate{Certificate: [][]byte{own.Raw}, PrivateKey: forged}), 0},
		{"a terminal's own certificate", k.client(&tls.Certificate{Certificate: [][]byte{answer.Certificate}, PrivateKey: key}), 0},
		{"an old version of TLS", k.client(kitchen, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), 0},
	} {
		if status, body := k.visit(c.client, k.page+"/"); status != c.want {
			t.Errorf("%s: %d %.200s", c.name, status, body)
		}
	}
	for own, want := range map[*tls.Certificate]int{kitchen: http.StatusForbidden, desk: http.StatusOK} {
		if status, body := k.visit(k.client(own), k.page+"/technician"); status != want {
			t.Errorf("the technician's page: %d instead of %d, %.200s", status, want, body)
		}
	}
	if status, _ := k.visit(http.DefaultClient, strings.Replace(k.page, "https", "http", 1)+"/"); status == http.StatusOK {
		t.Error("the page is on the network without TLS")
	}

	r, err := k.client(kitchen).Post(k.page+"/do/cash", "application/x-www-form-urlencoded", nil)
	k.must(err)
	r.Body.Close()
	k.stop()
	st, err := openStore(k.c, k.log, store.Options{})
	k.must(err)
	defer st.Close()
	var by []string
	k.must(st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Route == "cash" {
			by = append(by, e.Operator)
		}
		return true
	}))
	if !slices.Equal(by, []string{"kitchen-pc"}) {
		t.Errorf("cash was taken by %q", by)
	}
}

// A browser that is revoked is shut out in the middle of what it does; the others work on, also without the hub and after a restart.
func TestARevokedBrowserIsShutOut(t *testing.T) {
	k := newCanteen(t)
	k.start()
	lost, kitchen := k.client(k.admit("oakfield", "lost-tablet", false)), k.client(k.admit("oakfield", "kitchen-pc", false))
	r, err := lost.Get(k.page + "/events")
	k.must(err)
	defer r.Body.Close()
	stream := bufio.NewReader(r.Body)
	_, err = stream.ReadString('\n')
	k.must(err)
	k.must(k.hub.RevokeBrowser(t.Context(), "oakfield", "office", "lost-tablet"))
	k.term.network.look(t.Context()) // as it does every minute
	if _, err := io.Copy(io.Discard, stream); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", err)
	}
	if status, body := k.visit(lost, k.page+"/"); status == http.StatusOK {
		t.Errorf("a revoked browser: %s", body)
	}
	k.gone()
	k.term.network.look(t.Context())
	if status, body := k.visit(kitchen, k.page+"/"); status != http.StatusOK {
		t.Errorf("while the hub is away: %d %s", status, body)
	}
	k.stop()
	k.start()
	defer k.stop()
	if status, body := k.visit(kitchen, k.page+"/"); status != http.StatusOK {
		t.Errorf("after a restart without the hub: %d %s", status, body)
	}
	if status, _ := k.visit(lost, k.page+"/"); status != 0 {
		t.Error("a revoked browser is let in after a restart")
	}
}

// Dates count by the time that the hub has signed, and never by the machine's clock; the page renews its own certificate.
func TestABrowserExpiresByTheStoresClock(t *testing.T) {
	k := newCanteen(t)
	k.start()
	defer k.stop()
	kitchen := k.admit("oakfield", "kitchen-pc", false)
	before := k.term.network.admission.Load().page.Leaf
	k.ahead.Store(int64(2 * 365 * 24 * time.Hour))
	for {
		changed := k.term.Hub.Changed()
		if k.term.Hub.State().Told.After(time.Now().AddDate(1, 0, 0)) {
			break
		}
		<-changed
	}
	k.term.network.look(t.Context())
	if after := k.term.network.admission.Load().page.Leaf; !after.NotAfter.After(before.NotAfter) {
		t.Errorf("the page's certificate still ends on %v", after.NotAfter)
	}
	if status, body := k.visit(k.client(kitchen), k.page+"/"); status != 0 {
		t.Errorf("after its end: %d %s", status, body)
	}
	if status, body := k.visit(k.client(k.admit("oakfield", "hall-pc", false)), k.page+"/"); status != http.StatusOK {
		t.Errorf("its successor: %d %s", status, body)
	}
}

// What only a technician may see is told apart by the certificate.
func TestRolesOverTheNetwork(t *testing.T) {
	k := newCanteen(t)
	k.start()
	defer k.stop()
	served := make(chan net.Addr, 1)
	n := &network{listen: "127.0.0.1:0", hosts: k.term.network.hosts, site: "oakfield", store: k.term.Store, hub: k.term.Hub, log: k.log, served: func(a net.Addr) { served <- a }}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- n.run(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, web.RoleOf(r)) }))
	}()
	defer func() { stop(); <-done }()
	page := "https://" + (<-served).String()
	for name, technician := range map[string]bool{"staff": false, "technician": true} {
		if _, role := k.visit(k.client(k.admit("oakfield", name, technician)), page+"/"); role != name {
			t.Errorf("%s has the role %s", name, role)
		}
	}
}

// Before the first certificate there is no page on the network, and the health bar says so; the page on loopback is there.
func TestNoPageOnTheNetworkWithoutACertificate(t *testing.T) {
	k := newCanteen(t)
	k.gone()
	ctx, stop := context.WithCancel(t.Context())
	ready, serving, done := make(chan *Terminal, 1), make(chan bool, 1), make(chan error, 1)
	hooks := Hooks{Ready: func(t *Terminal) error { ready <- t; return nil }, Serving: func() { serving <- true }, Network: func(net.Addr) { t.Error("the page is on the network") }}
	go func() { done <- Run(ctx, k.c, k.log, hooks) }()
	<-serving
	term := <-ready
	term.network.look(t.Context())
	if l := term.network.lamp(); l.Level != till.Warn || !strings.Contains(l.Words, "no certificate yet") {
		t.Errorf("the health bar says %+v", l)
	}
	stop()
	k.must(<-done)
}

func TestNetworkHosts(t *testing.T) {
	var own []netip.Addr
	for _, a := range []string{"127.0.0.1", "192.168.7.20", "10.1.2.3", "8.8.8.8", "fe80::1", "fd00::1"} {
		own = append(own, netip.MustParseAddr(a))
	}
	for _, c := range []struct {
		network string
		hosts   []string
		want    string
	}{
		{":8443", nil, "10.1.2.3 192.168.7.20"},
		{"0.0.0.0:8443", []string{"till-1.oakfield.lan", "proxy.example", "10.1.2.3"}, "10.1.2.3 192.168.7.20 till-1.oakfield.lan"},
		{"10.1.2.3:8443", nil, "10.1.2.3"},
		{"[fd00:0::1]:8443", nil, "fd00::1"},
		{"8.8.8.8:8443", nil, ""},
	} {
		var config Config
		config.Page.Network, config.Page.Hosts = c.network, c.hosts
		if got := strings.Join(config.hostsAmong(own), " "); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.network, c.hosts, got, c.want)
		}
	}
}
