package keyslot

import (
	"os"
	"path/filepath"
	"testing"
)

func TestUse(t *testing.T) {
	dir := t.TempDir()
	for _, u := range []Use{{}, {Kind: KindTPM, From: KindFile}, {Kind: KindTPM}, {Kind: KindI2C, From: KindTPM}, {}} {
		if err := u.Write(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadUse(dir); err != nil || got != u {
			t.Errorf("wrote %+v, read %+v, %v", u, got, err)
		}
	}
	for _, text := range []string{"", "TPM", "tpm from tpm", "tpm from ", "tpm from file from i2c", "file tpm", "memory"} {
		if err := os.WriteFile(filepath.Join(dir, useName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if u, err := ReadUse(dir); err == nil {
			t.Errorf("%q was read as %+v", text, u)
		}
	}
}

func FuzzTPMFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"index":25261168,"srk":"AAs=","spent":3,"keys":[{"epoch":1,"counter":3,"public":"","private":""}]}`))
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := parseTPMFile(text)
		if err != nil {
			return
		}
		for _, k := range file.Keys {
			if file.key(k.Epoch) == nil || k.Counter > file.Spent {
				t.Error("a file that later code cannot rely on was accepted")
			}
		}
	})
}
