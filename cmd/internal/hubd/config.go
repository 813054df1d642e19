// Package hubd runs the school hub as a process: its configuration, its
// listeners and their orderly end. Both tillprint-hub and the demo use it.
package hubd

import (
	_ "embed"
	"errors"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/sync/hub"
)

// Example is a configuration file with every setting, its default and its meaning.
//
//go:embed example.toml
var Example string

// Config is what the configuration file can set.
type Config struct {
	Dir       string        `toml:"dir"`
	Database  string        `toml:"database"`
	Lease     config.Length `toml:"lease"`
	Terminals struct {
		Listen    string   `toml:"listen"`
		Addresses []string `toml:"addresses"`
	} `toml:"terminals"`
	Office struct {
		Listen      string `toml:"listen"`
		Certificate string `toml:"certificate"`
		Key         string `toml:"key"`
	} `toml:"office"`
	PIN struct {
		MemoryKiB uint32 `toml:"memory_kib"`
		Passes    uint32 `toml:"passes"`
	} `toml:"pin"`
	Log config.Log `toml:"log"`
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
	case c.Dir == "":
		return errors.New("dir is empty; say where the hub keeps its keys")
	case c.Terminals.Listen == "":
		return errors.New("terminals.listen is empty; terminals could not reach this hub")
	case len(c.Terminals.Addresses) == 0:
		return errors.New("terminals.addresses is empty; join codes need an address such as https://hub.school.lan:8443")
	case (c.PIN.MemoryKiB == 0) != (c.PIN.Passes == 0):
		return errors.New("pin.memory_kib and pin.passes go together; set both, or neither for what the terminals have measured")
	case (c.Office.Certificate == "") != (c.Office.Key == ""):
		return errors.New("office.certificate and office.key go together; set both or neither")
	}
	return nil
}

// cost is the zero value unless both of its parts are set: then terminals say it.
func (c Config) cost() hub.Cost {
	if c.PIN.MemoryKiB == 0 && c.PIN.Passes == 0 {
		return hub.Cost{}
	}
	return hub.Cost{Passes: c.PIN.Passes, KiB: c.PIN.MemoryKiB, Threads: 1}
}

// Hub is the configuration as the hub's package takes it.
func (c Config) Hub(log *slog.Logger) hub.Config {
	return hub.Config{
		Dir: c.Dir, Database: c.Database, Addresses: c.Terminals.Addresses, Lease: time.Duration(c.Lease), Log: log,
		PIN: c.cost(),
	}
}
