package adapters_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Nothing in the adapters is kept from the race detector, or otherwise made to look legal: that it is clean says
// something of all of them.
func TestH79NothingIsHidden(t *testing.T) {
	hidden := regexp.MustCompile(`(?m)^//go:norace|^//go:linkname|^//go:build .*\brace\b|^\s*(import )?"unsafe"$|\binternal/race\b`)
	read := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		read++
		if found := hidden.Find(text); found != nil {
			t.Errorf("%s: %q", path, found)
		}
		return err
	})
	if err != nil || read < 20 {
		t.Errorf("read %d files, %v", read, err)
	}
}
