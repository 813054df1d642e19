// Package source reads constants, and texts in literals, from Go files, so that a test with a row for each of them fails when one is added without.
package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Constants are the texts of the constants that the file declares as of the named type.
func Constants(t testing.TB, file, kind string) (texts []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == kind {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		return true
	})
	return texts
}

// Fields are the texts that a field has in the literals of a struct, in a package's folders; the field is named, or the
// first. Each stands there once.
func Fields(t testing.TB, kind, field string, folders ...string) (texts []string) {
	t.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if text := fieldOf(n, kind, field); text != "" && !slices.Contains(texts, text) {
					texts = append(texts, text)
				}
				return true
			})
		}
	}
	return texts
}

// fieldOf is the text of the field in a literal of the struct; "" elsewhere, and where it is no text.
func fieldOf(n ast.Node, kind, field string) string {
	literal, ok := n.(*ast.CompositeLit)
	if !ok || len(literal.Elts) == 0 {
		return ""
	}
	name, _ := literal.Type.(*ast.Ident)
	if named, ok := literal.Type.(*ast.SelectorExpr); ok {
		name = named.Sel
	}
	if name == nil || name.Name != kind {
		return ""
	}
	value := literal.Elts[0]
	for _, e := range literal.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == field {
				value = pair.Value
			}
		}
	}
	text, ok := value.(*ast.BasicLit)
	if !ok {
		return ""
	}
	unquoted, _ := strconv.Unquote(text.Value)
	return unquoted
}
