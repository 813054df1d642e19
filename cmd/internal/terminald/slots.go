package terminald

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/host/v3"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/store/keyslot"
)

// Keyslot is the [keyslot] table: where the root key lives.
type Keyslot struct {
	Kind string `toml:"kind"`
	TPM  struct {
		Device  string        `toml:"device"`
		Index   uint32        `toml:"index"`
		Timeout config.Length `toml:"timeout"`
	} `toml:"tpm"`
	I2C struct {
		Bus     string `toml:"bus"`
		Chip    string `toml:"chip"`
		Address uint16 `toml:"address"`
	} `toml:"i2c"`
}

func (k *Keyslot) check() error {
	switch {
	case k.Kind != kindAuto && !keyslot.KnownKind(k.Kind):
		return fmt.Errorf("keyslot.kind is %.40q; use auto, %s", k.Kind, keyslot.Kinds)
	case k.TPM.Device == "":
		return errors.New("keyslot.tpm.device is empty; name the TPM's device, such as /dev/tpmrm0")
	case k.TPM.Index < 0x01000000 || k.TPM.Index > 0x01ffffff:
		return fmt.Errorf("keyslot.tpm.index is %#x; NV indices lie between 0x01000000 and 0x01ffffff", k.TPM.Index)
	case k.TPM.Timeout < config.Length(time.Second):
		return errors.New("keyslot.tpm.timeout is too short; a TPM needs seconds")
	case !slices.Contains(keyslot.I2CChips(), k.I2C.Chip):
		return fmt.Errorf("keyslot.i2c.chip is %.40q; use one of %s", k.I2C.Chip, strings.Join(keyslot.I2CChips(), ", "))
	case k.I2C.Address > 0x7f:
		return fmt.Errorf("keyslot.i2c.address is %#x; addresses have 7 bits", k.I2C.Address)
	}
	return nil
}

// Files of the slots, beside the store.
func (c Config) slotPath() string { return filepath.Join(c.Store.Dir, "keyslot") }
func (c Config) tpmPath() string  { return filepath.Join(c.Store.Dir, "keyslot.tpm") }

func (c Config) tpm() keyslot.TPMOptions {
	return keyslot.TPMOptions{Device: c.Keyslot.TPM.Device, Index: c.Keyslot.TPM.Index, Timeout: time.Duration(c.Keyslot.TPM.Timeout)}
}

// openSlot opens the slot of a kind, which must be there.
func (c Config) openSlot(kind string) (keyslot.Slot, error) {
	switch kind {
	case keyslot.KindTPM:
		s, err := keyslot.OpenTPM(c.tpmPath(), rand.Reader, c.tpm())
		if err != nil {
			return nil, err // not a nil *TPM in an interface
		}
		return s, nil
	case keyslot.KindI2C:
		return c.openI2C()
	case keyslot.KindHub:
		return c.openShare(nil)
	}
	s, err := keyslot.OpenFile(c.slotPath(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openI2C opens bus and chip. The bus stays open as long as the process lives.
func (c Config) openI2C() (keyslot.Slot, error) {
	if _, err := host.Init(); err != nil {
		return nil, fmt.Errorf("looking for I2C buses: %w", err)
	}
	bus, err := i2creg.Open(c.Keyslot.I2C.Bus)
	if err != nil {
		return nil, fmt.Errorf("opening the I2C bus of the memory chip: %w: switch I2C on in the boot configuration, or correct keyslot.i2c.bus", err)
	}
	s, err := keyslot.OpenI2C(bus, rand.Reader, keyslot.I2COptions{Chip: c.Keyslot.I2C.Chip, Address: c.Keyslot.I2C.Address})
	if err != nil {
		return nil, errors.Join(err, bus.Close())
	}
	return s, nil
}

// createSlot makes the slot of a kind for a store that has no key in it yet. What a join that the hub did not answer has
// left is used again, but not the TPM's file: the TPM may have been cleared since.
func (c Config) createSlot(kind string) (keyslot.Slot, error) {
	var err error
	switch kind {
	case keyslot.KindFile:
		_, err = keyslot.CreateFile(c.slotPath(), rand.Reader)
	case keyslot.KindTPM:
		if err = os.Remove(c.tpmPath()); err == nil || errors.Is(err, fs.ErrNotExist) {
			_, err = keyslot.CreateTPM(c.tpmPath(), rand.Reader, c.tpm())
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return c.openSlot(kind)
}

// destroySlot kills every key in the slot of a kind. A key file that is not there holds none; a TPM's counter is deleted whether
// its file is there or not.
func (c Config) destroySlot(kind string) error {
	if kind == keyslot.KindTPM {
		return keyslot.NewTPM(c.tpmPath(), rand.Reader, c.tpm()).Destroy()
	}
	s, err := c.openSlot(kind)
	if (kind == keyslot.KindFile || kind == keyslot.KindHub) && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Destroy()
}
