package hub

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/tillprint/tillprint/sync/register"
)

func TestARestartKeepsEverything(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	x.sync(0) // asking again confirms
	before, err := h.Subject(t.Context(), "oakfield", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	again := openHub(t, h.config.Dir, c)
	x.url = serve(t, again.Handler(), again).URL
	if e := x.sync(0); len(e) != 0 { // the signature, the tree and the TLS key are the old ones
		t.Errorf("after a restart there are %d new entries", len(e))
	}
	after, err := again.Subject(t.Context(), "oakfield", id)
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("after a restart:\n%+v\nbefore:\n%+v\n%v", after, before, err)
	}
}

func TestMigratingTwiceChangesNothing(t *testing.T) {
	h, _ := newHub(t)
	addPupil(t, h, "Ada Byron")
	if err := migrate(t.Context(), h.db, goose.DialectSQLite3); err != nil {
		t.Fatal(err)
	}
	if all, err := h.List(t.Context(), "oakfield", "", 10); err != nil || len(all) != 1 {
		t.Errorf("%d people after a second migration: %v", len(all), err)
	}
}

func TestADatabaseOfANewerVersionIsLeftAlone(t *testing.T) {
	h, _ := newHub(t)
	if _, err := h.db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: h.config.Dir}); !errors.Is(err, ErrNewerDatabase) {
		t.Errorf("%v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"no register key", func(d string) error { return os.Remove(filepath.Join(d, registerKeyFile)) }, "a key file is missing"},
		{"no certificate", func(d string) error { return os.Remove(filepath.Join(d, tlsCertFile)) }, "a key file is missing"},
		{"an unreadable certificate", func(d string) error { return os.WriteFile(filepath.Join(d, tlsCertFile), []byte("x"), 0o600) }, "certificate"},
		{"an unreadable key", func(d string) error { return os.WriteFile(filepath.Join(d, registerKeyFile), []byte("x"), 0o600) }, "no PEM block"},
		{"a short pepper", func(d string) error { return os.WriteFile(filepath.Join(d, pepperKeyFile), []byte("x"), 0o600) }, "instead of 32"},
		{"another key's certificate", func(d string) error {
			if err := os.Remove(filepath.Join(d, tlsKeyFile)); err != nil {
				return err
			}
			return Init(d, nil, rand.Reader, start)
		}, "cannot be used"},
		{"no database", func(d string) error {
			return os.WriteFile(filepath.Join(d, databaseFile), []byte(strings.Repeat("no database ", 500)), 0o600)
		}, "is not a database"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Init(dir, []string{"hub.test"}, rand.Reader, start); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			h, err := Open(t.Context(), Config{Dir: dir})
			if err == nil {
				h.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

func TestInitKeepsKeysAndRefusesToReplaceLostOnes(t *testing.T) {
	h, c := newHub(t)
	dir := h.config.Dir
	key := h.PublicKey()
	if err := Init(dir, nil, rand.Reader, start); err != nil {
		t.Fatal(err)
	}
	if again := openHub(t, dir, c); !key.Equal(again.PublicKey()) {
		t.Error("a second Init made another key")
	}
	info, err := os.Stat(filepath.Join(dir, registerKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file's mode is %v, %v", info.Mode(), err)
	}
	if err := os.Remove(filepath.Join(dir, registerKeyFile)); err != nil {
		t.Fatal(err)
	}
	if err := Init(dir, nil, rand.Reader, start); !errors.Is(err, ErrNoKeys) {
		t.Errorf("Init made a new key beside a database in use: %v", err)
	}
}

func TestARunningHubSendsWaitersAwayWhenItStops(t *testing.T) {
	h, _ := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	answer := x.wait()
	h.stopping.Do(h.wakes.close)
	if _, err := register.ParseBatch(<-answer); err == nil {
		t.Error("a stopping hub answered with a batch")
	}
}

func TestWhatIsAcknowledgedIsSynced(t *testing.T) {
	h, _ := newHub(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"} {
		for range 6 { // more than one connection of the pool
			var got string
			if err := h.db.QueryRow(`PRAGMA ` + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, want %q: %v", pragma, got, want, err)
			}
		}
	}
}

func TestABusyDatabaseIsNamed(t *testing.T) {
	h, _ := newHub(t)
	impatient, err := sql.Open("sqlite", "file:"+filepath.Join(h.config.Dir, databaseFile)+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer impatient.Close()
	err = h.write(t.Context(), "oakfield", func(*sql.Tx) error {
		_, err := impatient.Exec(`UPDATE sites SET name = name`)
		return err
	})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}
