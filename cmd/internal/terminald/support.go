package terminald

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/prometheus/common/expfmt"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Support is what a terminal gives to whoever helps: files by name. Nothing in them is personal or secret, and the terminal
// looks for everybody whom it knows in them before it hands them out.
type Support map[string]string

// errPersonal says that somebody's name or pseudonym got into a bundle: a mistake of this program.
var errPersonal = errors.New("the bundle would have named somebody and was not made: tell the maker which file, and send nothing")

// RunSupport collects it: from the daemon where one runs, which has the figures and the last lines of its log, else from
// the store.
func RunSupport(ctx context.Context, c Config) (Support, error) {
	var s Support
	if err := c.ask(ctx, http.MethodPost, "/support", nil, &s); !errors.Is(err, errNoDaemon) {
		return s, err
	}
	d, err := Doctor(ctx, c)
	if err != nil { // a store that cannot be opened is what help is needed with
		d = &Diagnosis{Version: cli.Version(), Findings: []Finding{{"Store", "bad", err.Error()}}}
	}
	s = c.support(d)
	s["log.txt"] = journal(ctx)
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{Command: "support-bundle"})
	if err != nil {
		s.scrub()
		return s, nil
	}
	defer st.Close()
	return s, s.harmless(st)
}

// support is the daemon's part.
func (t *Terminal) support(c Config) (Support, error) {
	s := c.support(t.diagnose(c))
	s["log.txt"] = t.recent.String()
	var figures bytes.Buffer
	families, err := t.figures().Gather()
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&figures, f); err != nil {
			return nil, fmt.Errorf("writing the figures: %w", err)
		}
	}
	s["metrics.txt"] = figures.String()
	return s, s.harmless(t.Store)
}

// support is what both have.
func (c Config) support(d *Diagnosis) Support {
	s := Support{"README.txt": supportText, "versions.txt": versions()}
	if b, err := json.MarshalIndent(d, "", "  "); err == nil {
		s["doctor.json"] = string(b) + "\n"
	}
	if c.Sensor.Password != 0 {
		c.Sensor.Password = 0xffffffff // that there is one, not which
	}
	if b, err := toml.Marshal(c); err == nil {
		s["config.toml"] = string(b)
	}
	return s
}

const supportText = `A terminal's support bundle: how it is, never who eats there. It may be sent to whoever helps.

doctor.json   what 'tillprint doctor' says, the self-test included
config.toml   the settings in force; a sensor's password is shown as 4294967295
metrics.txt   figures of the running daemon, as Prometheus reads them
log.txt       the last lines of its log
versions.txt  program, board, kernel
`

// versions says what runs here.
func versions() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tillprintd %s, %s %s/%s\n", cli.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"/proc/device-tree/model", "/proc/version", "/etc/os-release"} {
		if text, err := os.ReadFile(name); err == nil {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.TrimSpace(strings.TrimRight(string(text), "\x00")))
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			fmt.Fprintf(&b, "%s %s\n", m.Path, m.Version)
		}
	}
	return b.String()
}

// journal asks systemd for the daemon's last lines, where it keeps them and lets us read.
func journal(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "journalctl", "--unit", "tillprintd", "--lines", "400", "--no-hostname", "--output", "short-iso").Output()
	if err != nil {
		return fmt.Sprintf("the journal could not be read: %v\n", err)
	}
	return string(out)
}

var pseudonym = regexp.MustCompile(`p_[a-z2-7]{26}`)

// scrub takes pseudonyms out: the log names nobody else.
func (s Support) scrub() {
	for name, text := range s {
		s[name] = pseudonym.ReplaceAllString(text, "p_...")
	}
}

// harmless takes pseudonyms out, and then refuses to hand anything out in which somebody is named whom the store knows.
func (s Support) harmless(st *store.Store) error {
	s.scrub()
	var found error
	err := st.People(func(id consent.SubjectID, p store.Person) bool {
		for name, text := range s {
			if strings.Contains(text, p.Name) || strings.Contains(text, string(id)) {
				found = fmt.Errorf("%w (%s)", errPersonal, name)
			}
		}
		return found == nil
	})
	if err != nil {
		return fmt.Errorf("looking for people in the bundle: %w", err)
	}
	return found
}
