package keyslot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/tillprint/tillprint/locked"
)

// tpmChip is one conversation with a TPM: the storage root key is loaded, and every session is salted with it, so that
// who listens on the wires between board and module sees neither keys nor can change the counter's value.
type tpmChip struct {
	wire  *tpmWire
	srk   tpm2.NamedHandle
	pub   tpm2.TPMTPublic
	index tpm2.NamedHandle // the counter, as named once it has been written
}

// withTPM runs f in one conversation that ends at the timeout. An answer that go-tpm trips over is an error, not a crash.
func withTPM(o TPMOptions, f func(*tpmChip) error) (err error) {
	w, err := dialTPM(o.Device, o.Timeout)
	if err != nil {
		return err
	}
	defer w.close()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the TPM %s answers nonsense (%v)", o.Device, r)
		}
	}()
	c := &tpmChip{wire: w}
	if c.index, err = counterHandle(o.Index, true); err != nil {
		return err
	}
	primary, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(w)
	if err != nil {
		return fmt.Errorf("loading the TPM's storage key: %w", explain(err))
	}
	defer func() { _, _ = tpm2.FlushContext{FlushHandle: primary.ObjectHandle}.Execute(w) }()
	pub, err := primary.OutPublic.Contents()
	if err != nil {
		return fmt.Errorf("loading the TPM's storage key: %w", err)
	}
	c.srk, c.pub = tpm2.NamedHandle{Handle: primary.ObjectHandle, Name: primary.Name}, *pub
	// The Name is a digest of the public part. Checking it here binds the salt to the Name that the file remembers.
	if name, err := tpm2.ObjectName(pub); err != nil || !bytes.Equal(name.Buffer, primary.Name.Buffer) {
		return fmt.Errorf("the TPM %s names its storage key wrongly", o.Device)
	}
	return f(c)
}

// session is used for one command. Responses are authenticated by a key that only the TPM and this process know.
func (c *tpmChip) session(more ...tpm2.AuthOption) tpm2.Session {
	return tpm2.HMAC(tpm2.TPMAlgSHA256, 16, append(more, tpm2.Salted(c.srk.Handle, c.pub))...)
}

var (
	sealIn  = tpm2.AESEncryption(128, tpm2.EncryptIn)
	sealOut = tpm2.AESEncryption(128, tpm2.EncryptOut)
)

func (c *tpmChip) counterAuth(more ...tpm2.AuthOption) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: c.index.Handle, Name: c.index.Name, Auth: c.session(more...)}
}

// counter reads the counter.
func (c *tpmChip) counter() (uint64, error) {
	r, err := tpm2.NVRead{AuthHandle: c.counterAuth(sealOut), NVIndex: c.index, Size: 8}.Execute(c.wire)
	if err != nil {
		return 0, fmt.Errorf("reading the TPM's counter: %w", explain(err))
	}
	if len(r.Data.Buffer) != 8 {
		return 0, fmt.Errorf("reading the TPM's counter: %d bytes instead of 8", len(r.Data.Buffer))
	}
	return binary.BigEndian.Uint64(r.Data.Buffer), nil
}

// raise increments the counter. It is durable in the TPM when the answer is there.
func (c *tpmChip) raise(name tpm2.NamedHandle) error {
	auth := tpm2.AuthHandle{Handle: name.Handle, Name: name.Name, Auth: c.session()}
	if _, err := (tpm2.NVIncrement{AuthHandle: auth, NVIndex: name}).Execute(c.wire); err != nil {
		return fmt.Errorf("raising the TPM's counter: %w", explain(err))
	}
	return nil
}

// atMost is the policy that the counter has not passed limit.
func (c *tpmChip) atMost(limit uint64) tpm2.PolicyNV {
	return tpm2.PolicyNV{
		NVIndex:   c.index,
		OperandB:  tpm2.TPM2BOperand{Buffer: binary.BigEndian.AppendUint64(nil, limit)},
		Operation: tpm2.TPMEOUnsignedLE,
	}
}

// seal makes a blob that gives seed back while the counter is at most limit, and to no other authorisation.
func (c *tpmChip) seal(seed []byte, limit uint64) (public, private []byte, err error) {
	policy, err := tpm2.NewPolicyCalculator(tpm2.TPMAlgSHA256)
	if err == nil {
		err = c.atMost(limit).Update(policy)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("working out the TPM's policy: %w", err)
	}
	r, err := tpm2.Create{
		ParentHandle: tpm2.AuthHandle{Handle: c.srk.Handle, Name: c.srk.Name, Auth: c.session(sealIn)},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: seed}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, NoDA: true},
			AuthPolicy:       tpm2.TPM2BDigest{Buffer: policy.Hash().Digest},
		}),
	}.Execute(c.wire)
	if err != nil {
		return nil, nil, fmt.Errorf("sealing the key in the TPM: %w", explain(err))
	}
	return tpm2.Marshal(r.OutPublic), tpm2.Marshal(r.OutPrivate), nil
}

// unseal opens a blob into locked memory, which the caller frees. The library's own copies of the seed stay on the Go heap, in clear only
// where it unpacks the answer, which the session has encrypted.
func (c *tpmChip) unseal(k *tpmKey) ([]byte, error) {
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](k.Public)
	if err != nil {
		return nil, fmt.Errorf("the sealed key of epoch %d is damaged: %w", k.Epoch, err)
	}
	private, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](k.Private)
	if err != nil {
		return nil, fmt.Errorf("the sealed key of epoch %d is damaged: %w", k.Epoch, err)
	}
	loaded, err := tpm2.Load{
		ParentHandle: tpm2.AuthHandle{Handle: c.srk.Handle, Name: c.srk.Name, Auth: c.session()},
		InPrivate:    *private, InPublic: *public,
	}.Execute(c.wire)
	if err != nil {
		return nil, fmt.Errorf("loading the sealed key of epoch %d: %w", k.Epoch, explain(err))
	}
	defer func() { _, _ = tpm2.FlushContext{FlushHandle: loaded.ObjectHandle}.Execute(c.wire) }()
	session, end, err := tpm2.PolicySession(c.wire, tpm2.TPMAlgSHA256, 16, sealOut, tpm2.Salted(c.srk.Handle, c.pub))
	if err != nil {
		return nil, fmt.Errorf("opening a session with the TPM: %w", explain(err))
	}
	defer func() { _ = end() }()
	policy := c.atMost(k.Counter)
	policy.AuthHandle, policy.PolicySession = c.counterAuth(), session.Handle()
	if _, err := policy.Execute(c.wire); err != nil {
		return nil, fmt.Errorf("opening the key of epoch %d: %w", k.Epoch, explain(err))
	}
	r, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: loaded.ObjectHandle, Name: loaded.Name, Auth: session}}.Execute(c.wire)
	if err != nil {
		return nil, fmt.Errorf("opening the key of epoch %d: %w", k.Epoch, explain(err))
	}
	defer clear(r.OutData.Buffer)
	return locked.Append(nil, r.OutData.Buffer...), nil
}

// explain adds to a TPM's code what it means here.
func explain(err error) error {
	switch {
	case errors.Is(err, tpm2.TPMRCHandle):
		return fmt.Errorf("%w: the TPM has no counter of this store; it was cleared, exchanged, or the keys were destroyed (%w): %s", ErrNoKey, err, whatToDo)
	case errors.Is(err, tpm2.TPMRCPolicy), errors.Is(err, tpm2.TPMRCPolicyFail):
		return fmt.Errorf("%w, %w (%w): %s", ErrNoKey, ErrRolledBack, err, whatToDo)
	case errors.Is(err, tpm2.TPMRCIntegrity):
		return fmt.Errorf("%w: the blob is damaged or another TPM's (%w): %s", ErrNoKey, err, whatToDo)
	case errors.Is(err, tpm2.TPMRCAuthFail), errors.Is(err, tpm2.TPMRCBadAuth):
		return fmt.Errorf("the TPM belongs to another program, which has set an owner password (%w): clear the TPM, or use another module", err)
	case errors.Is(err, tpm2.TPMRCRetry), errors.Is(err, tpm2.TPMRCTesting), errors.Is(err, tpm2.TPMRCNVRate), errors.Is(err, tpm2.TPMRCYielded):
		return fmt.Errorf("the TPM is busy and stays so (%w): stop other programs that use it, or switch the terminal off and on", err)
	case errors.Is(err, tpm2.TPMRCInitialize):
		return fmt.Errorf("the TPM was not started (%w): switch the terminal off and on", err)
	}
	return err
}

// defaults of TPMOptions.
const (
	defaultTPMDevice = "/dev/tpmrm0"
	// DefaultTPMIndex lies in the range that the TCG leaves to owners (Registry of Reserved TPM 2.0 Handles, 0x01800000 to 0x01BFFFFF).
	DefaultTPMIndex = 0x01817470
	// Modules on SPI take up to half a second for a storage key; the chip's own limit for long commands is minutes.
	defaultTPMTimeout = 20 * time.Second
)
