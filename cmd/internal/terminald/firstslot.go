package terminald

import "github.com/tillprint/tillprint/store/keyslot"

// kindAuto is the configuration's word for no choice: a TPM, if there is one when the terminal joins, else a file.
const kindAuto = "auto"

// configuredKind is the slot that holds the keys where no note beside the store says otherwise.
func (c Config) configuredKind() string {
	if c.Keyslot.Kind == kindAuto {
		return keyslot.KindFile
	}
	return c.Keyslot.Kind
}

// firstKind is the slot in which a new store begins. What needs a terminal that the hub knows comes after that.
func (c Config) firstKind() string {
	switch {
	case c.Keyslot.Kind == keyslot.KindHub:
		return keyslot.KindFile
	case c.Keyslot.Kind == kindAuto && c.tpmThere():
		return keyslot.KindTPM
	}
	return c.configuredKind()
}

func (c Config) tpmThere() bool { return exists(c.Keyslot.TPM.Device) }

// createFirst makes the slot of a new store and the note about it. A TPM that nobody has asked for and that does not
// work must not keep a terminal from serving: then it is a file, and the doctor tells of the TPM.
func (c Config) createFirst() (keyslot.Slot, error) {
	kind := c.firstKind()
	slot, err := c.createAs(kind)
	if err != nil && kind != keyslot.KindFile && c.Keyslot.Kind == kindAuto {
		return c.createAs(keyslot.KindFile)
	}
	return slot, err
}

// createAs writes the note first: none where the configuration says the same.
func (c Config) createAs(kind string) (keyslot.Slot, error) {
	var use keyslot.Use
	if kind != c.configuredKind() {
		use.Kind = kind
	}
	if err := use.Write(c.Store.Dir); err != nil {
		return nil, err
	}
	return c.createSlot(kind)
}

// begunKind is where a device that has asked to join keeps its keys: a TPM may have come or gone since.
func (c Config) begunKind() (string, error) {
	use, err := keyslot.ReadUse(c.Store.Dir)
	if use.Kind == "" {
		use.Kind = c.configuredKind()
	}
	return use.Kind, err
}

// elsewhere says how the slot with the keys differs from what the configuration says, for a sentence that begins with its kind.
func (c Config) elsewhere(kind string) string {
	switch {
	case c.Keyslot.Kind == kind:
		return ""
	case c.Keyslot.Kind != kindAuto:
		return ", to which the keys were moved; the configuration still says " + c.Keyslot.Kind
	case kind == keyslot.KindTPM:
		return ", the configuration names none, and a TPM was there"
	case c.tpmThere():
		return ", though a TPM is there: 'tillprintd keyslot migrate --to tpm' moves the keys into it"
	}
	return ""
}
