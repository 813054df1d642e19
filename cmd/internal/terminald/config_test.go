package terminald

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	for _, c := range []struct{ name, text, wants string }{
		{"an empty file is the example", "", ""},
		{"unknown key names itself", "[sensor]\nprot = '/dev/ttyS0'\n", `no setting "sensor.prot"`},
		{"no store", "[store]\ndir = ''", "store.dir is empty"},
		{"a page for everybody", "[page]\nlisten = '0.0.0.0:8080'", "has no login; leave it on 127.0.0.1, and set page.network"},
		{"a page for everybody, shorter", "[page]\nlisten = ':8080'", "has no login"},
		{"a page for everybody, by a name", "[page]\nlisten = 'till-1.lan:8080'", "has no login"},
		{"a page for everybody, meant", "[page]\nlisten = '0.0.0.0:8080'\ninsecure_without_login = true", ""},
		{"a page by other names of loopback", "[page]\nlisten = '[::1]:8080'\nnetwork = ':8443'", ""},
		{"a page without a port", "[page]\nlisten = '127.0.0.1'", "write it as 127.0.0.1:8080"},
		{"a network without a port", "[page]\nnetwork = '8443'", "page.network"},
		{"a budget is a chance", "[matching]\nfalse_match_budget = 2.0", "a chance"},
		{"a trigger that is none", "[touch]\ntrigger = 'always'", "operator, line or poll"},
		{"line without a pin", "[touch]\ntrigger = 'line'", "touch.pin is empty"},
		{"outlet without token", "[outlet]\nlisten = '127.0.0.1:1'", "go together"},
		{"half a keypad", "[keypad]\nrows = ['GPIO5']", "go together"},
		{"a slot that is none", "[keyslot]\nkind = 'floppy'", "use auto, file, tpm, i2c or hub"},
		{"a chip that is none", "[keyslot.i2c]\nchip = 'at24'", "at24c256, at24c32, ds3232, mb85rc256, mcp7940x"},
		{"an address of 8 bits", "[keyslot.i2c]\naddress = 0xa0", "7 bits"},
		{"an index that is none", "[keyslot.tpm]\nindex = 7", "NV indices"},
		{"no time for the TPM", "[keyslot.tpm]\ntimeout = '1ms'", "too short"},
		{"no device", "[keyslot.tpm]\ndevice = ''", "keyslot.tpm.device is empty"},
		{"a slot's setting misspelt", "[keyslot.tpm]\ndevise = ''", `no setting "keyslot.tpm.devise"`},
		{"a log that forgets at once", "[audit]\nkeep_days = 7", "at least 30 days"},
		{"a family that is none", "[sensor]\nfamily = 'optical'", "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.toml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			switch {
			case c.wants == "" && err != nil:
				t.Fatal(err)
			case c.wants != "" && (err == nil || !strings.Contains(err.Error(), c.wants)):
				t.Fatalf("got %v, want an error with %q", err, c.wants)
			}
		})
	}
}

func TestTriggerText(t *testing.T) {
	for _, word := range []string{"operator", "line", "poll"} {
		var trigger Trigger
		if err := trigger.UnmarshalText([]byte(word)); err != nil {
			t.Fatal(err)
		}
		if text, err := trigger.MarshalText(); err != nil || string(text) != word {
			t.Fatalf("%s came back as %s, %v", word, text, err)
		}
	}
}
