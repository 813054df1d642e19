package register

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
)

func rejoining(t *testing.T) (*RejoinRequest, ed25519.PrivateKey) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, seal, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	if same, err := SealPublic(secret); err != nil || string(same) != string(seal) {
		t.Fatalf("the public key of a secret one: %v", err)
	}
	r := &RejoinRequest{Site: "oakfield", Was: "till-1", Name: "till-1-4kdt", Sign: public, Seal: seal}
	r.Prove(key)
	return r, key
}

// The code that a person compares depends on every key and name, so that nobody else is let in with it.
func TestRejoinCodeBindsTheWholeRequest(t *testing.T) {
	r, key := rejoining(t)
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	other, otherKey := rejoining(t)
	for name, change := range map[string]func(*RejoinRequest){
		"site": func(r *RejoinRequest) { r.Site = "elmwood" },
		"was":  func(r *RejoinRequest) { r.Was = "till-2" },
		"name": func(r *RejoinRequest) { r.Name = "till-1-5kdt" },
		"seal": func(r *RejoinRequest) { r.Seal = other.Seal },
		"sign": func(r *RejoinRequest) { r.Sign = other.Sign },
	} {
		changed := *r
		change(&changed)
		if err := changed.Check(); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s changed: %v", name, err)
		}
		if name == "sign" {
			changed.Prove(otherKey)
		} else {
			changed.Prove(key)
		}
		if err := changed.Check(); err != nil || changed.Code() == r.Code() {
			t.Errorf("%s changed: the same code %s, %v", name, r.Code(), err)
		}
	}
}

func TestCleanCode(t *testing.T) {
	r, _ := rejoining(t)
	code := r.Code()
	if len(code) != 11 || CleanCode(code) != code {
		t.Fatalf("code %q, cleaned %q", code, CleanCode(code))
	}
	for keyed, want := range map[string]string{
		"7k3qz 9m2ta": "7K3QZ-9M2TA", " 7K3QZ9M2TA ": "7K3QZ-9M2TA", "oil00-00000": "01100-00000",
		"": "", "7K3QZ-9M2T": "", "7K3QZ-9M2TAA": "", "7K3QZ-9M2TU": "", "7K3QZ-9M2Té": "", strings.Repeat("7", 1000): "",
	} {
		if got := CleanCode(keyed); got != want {
			t.Errorf("%.20q: %q, want %q", keyed, got, want)
		}
	}
}
