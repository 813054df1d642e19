package export

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

func (r *Record) json() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("writing an export: %w", err)
	}
	return out.Bytes(), nil
}

// csv is the same as a table of two columns: the path of each value in the JSON form, and the value.
func (r *Record) csv() ([]byte, error) {
	text, err := r.json()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // 1000000 stays 1000000
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("writing an export: %w", err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	rows := append([][]string{{"field", "value"}}, flatten("", v)...)
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("writing an export: %w", err)
	}
	return out.Bytes(), nil
}

func flatten(path string, v any) (rows [][]string) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			rows = append(rows, flatten(strings.TrimPrefix(path+"."+name, "."), v[name])...)
		}
	case []any:
		for i, item := range v {
			rows = append(rows, flatten(fmt.Sprintf("%s[%d]", path, i+1), item)...)
		}
	default:
		rows = append(rows, []string{path, harmless(fmt.Sprint(v))})
	}
	return rows
}

// harmless keeps spreadsheets from taking a value for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"when":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"finger": FingerName,
	"photo": func(b []byte) template.URL { // bytes of our own store, as a picture and nothing else
		return template.URL("data:image;base64," + base64.StdEncoding.EncodeToString(b))
	},
}).Parse(pageText))

// FingerName is the finger of a position of ISO/IEC 19794-2, table 2.
func FingerName(position uint8) string {
	names := [...]string{"unknown finger", "right thumb", "right index finger", "right middle finger", "right ring finger", "right little finger",
		"left thumb", "left index finger", "left middle finger", "left ring finger", "left little finger"}
	if int(position) >= len(names) {
		return names[0]
	}
	return names[position]
}
