package keyslot

import "testing"

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
