package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What was passed is in the file a tenth of a second later, and at the end at once; nothing else is left beside it.
func TestPlaceIsSaved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "place")
	kept := func() string {
		t.Helper()
		p, err := openPlace(path, []string{"b", "a"})
		if err != nil {
			t.Fatal(err)
		}
		return p.After
	}
	synctest.Test(t, func(t *testing.T) {
		p, err := openPlace(path, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"x-1", "x-2"} {
			if err := p.pass(id, ""); err != nil {
				t.Fatal(err)
			}
		}
		if got := kept(); got != "" {
			t.Errorf("at once there is %q", got)
		}
		time.Sleep(placesEvery)
		synctest.Wait()
		if got := kept(); got != "x-2" {
			t.Errorf("later there is %q, want x-2", got)
		}
		if err := p.pass("x-3", ""); err != nil {
			t.Fatal(err)
		}
		if err := p.flush(); err != nil || kept() != "x-3" {
			t.Errorf("at the end there is %q (%v), want x-3", kept(), err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := p.pass("x-4", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(placesEvery)
		synctest.Wait()
		if err := p.pass("x-5", ""); err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("without its folder: %v", err)
		}
		if err := p.flush(); err == nil {
			t.Error("at the end there was no error")
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
	})
	text, err := os.ReadFile(path)
	var p struct{ After string }
	if err != nil || json.Unmarshal(text, &p) != nil || p.After != "x-5" {
		t.Errorf("%s, %v", text, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}
