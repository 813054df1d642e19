// Package terminald runs the terminal as a process: it reads the
// configuration, wires the sensor, the store, the hub's client, the till and
// its pages together, and stops them in order. Both tillprintd and the demo use it.
package terminald

import (
	_ "embed"
	"errors"
	"fmt"
	"net"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/till"
)

// Example is a configuration file with every setting, its default and its meaning.
//
//go:embed example.toml
var Example string

// ConfigPath is where the configuration lies on a terminal.
const ConfigPath = "/etc/tillprint/tillprintd.toml"

// Config is what the configuration file can set. The fields are explained in
// Example, which a test holds against this type.
type Config struct {
	Store struct {
		Dir string `toml:"dir"`
	} `toml:"store"`
	Keyslot Keyslot `toml:"keyslot"`
	Sensor  struct {
		Port     string     `toml:"port"`
		Family   zfm.Family `toml:"family"`
		Baud     int        `toml:"baud"`
		Width    int        `toml:"width"`
		Height   int        `toml:"height"`
		Password uint32     `toml:"password"`
	} `toml:"sensor"`
	Touch struct {
		Trigger   Trigger `toml:"trigger"`
		Pin       string  `toml:"pin"`
		ActiveLow bool    `toml:"active_low"`
	} `toml:"touch"`
	Panel struct {
		Ready  string `toml:"ready"`
		Busy   string `toml:"busy"`
		Buzzer string `toml:"buzzer"`
	} `toml:"panel"`
	Keypad struct {
		Rows    []string `toml:"rows"`
		Columns []string `toml:"columns"`
	} `toml:"keypad"`
	Page struct {
		Listen               string   `toml:"listen"`
		Network              string   `toml:"network"`
		InsecureWithoutLogin bool     `toml:"insecure_without_login"`
		Base                 string   `toml:"base"`
		Hosts                []string `toml:"hosts"`
	} `toml:"page"`
	Outlet struct {
		Listen    string `toml:"listen"`
		TokenFile string `toml:"token_file"`
	} `toml:"outlet"`
	Serving struct {
		Operator string  `toml:"operator"`
		Fingers  []uint8 `toml:"fingers"`
		Quality  uint8   `toml:"quality"`
		Unlike   float64 `toml:"unlike"`
	} `toml:"serving"`
	Matching struct {
		FalseMatchBudget float64 `toml:"false_match_budget"`
		Margin           float64 `toml:"margin"`
	} `toml:"matching"`
	Sync struct {
		Wait config.Length `toml:"wait"`
	} `toml:"sync"`
	Audit struct {
		KeepDays int `toml:"keep_days"`
	} `toml:"audit"`
	Update struct {
		Hours Hours `toml:"hours"`
	} `toml:"update"`
	Metrics struct {
		Listen string `toml:"listen"`
	} `toml:"metrics"`
	Log config.Log `toml:"log"`
}

// Trigger is till.Trigger in the configuration's words.
type Trigger till.Trigger

// UnmarshalText reads "operator", "line" or "poll".
func (t *Trigger) UnmarshalText(text []byte) error {
	switch string(text) {
	case "operator":
		*t = Trigger(till.OnRequest)
	case "line":
		*t = Trigger(till.OnTouch)
	case "poll":
		*t = Trigger(till.OnPoll)
	default:
		return fmt.Errorf("%.40q is no trigger; use operator, line or poll", text)
	}
	return nil
}

// MarshalText writes the word that UnmarshalText reads.
func (t Trigger) MarshalText() ([]byte, error) {
	return []byte([...]string{till.OnRequest: "operator", till.OnTouch: "line", till.OnPoll: "poll"}[t]), nil
}

// Load reads the file at path over the defaults, which are the values of Example.
func Load(path string) (Config, error) {
	c := Default()
	err := config.Load(path, &c)
	return c, err
}

// Default is what an empty file means.
func Default() Config { return config.Default[Config](Example) }

// Check says what no daemon could work with.
func (c *Config) Check() error {
	switch {
	case c.Store.Dir == "":
		return errors.New("store.dir is empty; say where the terminal keeps its store")
	case c.Keyslot.check() != nil:
		return c.Keyslot.check()
	case c.checkPage() != nil:
		return c.checkPage()
	case !(c.Matching.FalseMatchBudget > 0 && c.Matching.FalseMatchBudget < 1):
		return fmt.Errorf("matching.false_match_budget is %g; it is a chance, above 0 and below 1", c.Matching.FalseMatchBudget)
	case c.Matching.Margin < 0:
		return fmt.Errorf("matching.margin is %g; it must not be negative", c.Matching.Margin)
	case till.Trigger(c.Touch.Trigger) == till.OnTouch && c.Touch.Pin == "":
		return errors.New("touch.trigger is line but touch.pin is empty; name the pin, or use poll")
	case c.Audit.KeepDays != 0 && c.Audit.KeepDays < leastDays:
		return fmt.Errorf("audit.keep_days is %d; keep the audit log for at least %d days, or for ever with 0", c.Audit.KeepDays, leastDays)
	case (c.Outlet.Listen == "") != (c.Outlet.TokenFile == ""):
		return errors.New("outlet.listen and outlet.token_file go together; set both or neither")
	case (len(c.Keypad.Rows) == 0) != (len(c.Keypad.Columns) == 0):
		return errors.New("keypad.rows and keypad.columns go together; set both or neither")
	}
	return nil
}

// checkPage keeps a page without a login on this machine.
func (c *Config) checkPage() error {
	host, _, err := net.SplitHostPort(c.Page.Listen)
	switch {
	case c.Page.Listen == "":
		return errors.New("page.listen is empty; nobody could work this till")
	case err != nil:
		return fmt.Errorf("page.listen is %q; write it as 127.0.0.1:8080", c.Page.Listen)
	case host != "localhost" && !net.ParseIP(host).IsLoopback() && !c.Page.InsecureWithoutLogin:
		return fmt.Errorf("page.listen is %q, where anybody on the network could work this till: that page has no login; leave it on 127.0.0.1, and set page.network for browsers on the school's network", c.Page.Listen)
	}
	if _, _, err := net.SplitHostPort(c.Page.Network); err != nil && c.Page.Network != "" {
		return fmt.Errorf("page.network is %q; write it as \":8443\", or \"\" for no page on the network", c.Page.Network)
	}
	return nil
}

// leastDays is how long an audit log must last: longer than any lease, so that no terminal out of contact loses what its office asks about.
const leastDays = 30

// till is the configuration as package till takes it; biometrics is the
// site's signed mode.
func (c Config) till(biometrics bool) till.Config {
	return till.Config{
		Biometrics: biometrics, Trigger: till.Trigger(c.Touch.Trigger), Operator: c.Serving.Operator,
		Fingers: c.Serving.Fingers, Quality: c.Serving.Quality, Unlike: c.Serving.Unlike,
		Policy: matcher.Policy{FalseMatchBudget: c.Matching.FalseMatchBudget, Margin: c.Matching.Margin},
	}
}
