package keyslot

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// counterPublic is the counter's definition. Whoever may talk to the TPM may read and raise it; nobody can lower it,
// and deleting it leaves a next one that starts above it (TPM 2.0 Part 1, 37.2.4).
func counterPublic(index uint32, written bool) *tpm2.TPMSNVPublic {
	return &tpm2.TPMSNVPublic{
		NVIndex: tpm2.TPMHandle(index),
		NameAlg: tpm2.TPMAlgSHA256,
		Attributes: tpm2.TPMANV{
			AuthRead: true, AuthWrite: true, NoDA: true, NT: tpm2.TPMNTCounter, Written: written,
		},
		DataSize: 8,
	}
}

func counterHandle(index uint32, written bool) (tpm2.NamedHandle, error) {
	name, err := tpm2.NVName(counterPublic(index, written))
	if err != nil {
		return tpm2.NamedHandle{}, fmt.Errorf("naming the TPM's counter: %w", err)
	}
	return tpm2.NamedHandle{Handle: tpm2.TPMHandle(index), Name: *name}, nil
}

// public reads the definition at the counter's index; nil when there is none.
func (c *tpmChip) public() (*tpm2.TPMSNVPublic, error) {
	r, err := tpm2.NVReadPublic{NVIndex: c.index.Handle}.Execute(c.wire)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the TPM's counter: %w", explain(err))
	}
	return r.NVPublic.Contents()
}

// define makes the counter, or takes over one that is defined in the same way: it can only go up, which kills what
// was sealed to it before.
func (c *tpmChip) define() error {
	index := uint32(c.index.Handle)
	found, err := c.public()
	if err != nil {
		return err
	}
	if found == nil {
		owner := tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: c.session()}
		if _, err := (tpm2.NVDefineSpace{AuthHandle: owner, PublicInfo: tpm2.New2B(*counterPublic(index, false))}).Execute(c.wire); err != nil {
			return fmt.Errorf("making the TPM's counter: %w", explain(err))
		}
		found = counterPublic(index, false)
	}
	fresh, err := counterHandle(index, false)
	if err != nil {
		return err
	}
	name, err := tpm2.NVName(found)
	switch {
	case err != nil:
		return fmt.Errorf("looking for the TPM's counter: %w", err)
	case bytes.Equal(name.Buffer, fresh.Name.Buffer):
		return c.raise(fresh) // the first increment writes it and changes its Name
	case !bytes.Equal(name.Buffer, c.index.Name.Buffer):
		return fmt.Errorf("the TPM's index %#x belongs to another program: set keyslot.tpm.index to a free one", index)
	}
	return nil
}

// undefine deletes the counter, if it is there, and looks whether it is gone.
func (c *tpmChip) undefine() error {
	found, err := c.public()
	if err != nil || found == nil {
		return err
	}
	name, err := tpm2.NVName(found)
	if err != nil {
		return fmt.Errorf("looking for the TPM's counter: %w", err)
	}
	owner := tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: c.session()}
	index := tpm2.NamedHandle{Handle: c.index.Handle, Name: *name}
	if _, err := (tpm2.NVUndefineSpace{AuthHandle: owner, NVIndex: index}).Execute(c.wire); err != nil {
		return fmt.Errorf("deleting the TPM's counter: %w", explain(err))
	}
	if found, err = c.public(); err == nil && found != nil {
		err = errors.New("the TPM says that it has deleted its counter, but has not: replace the module")
	}
	return err
}
