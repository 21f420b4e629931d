package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "write docs/man anew")

// The manual's pages are what the commands say of themselves. go test ./cmd/spillway -run TestManPages -update writes them anew.
func TestManPages(t *testing.T) {
	t.Parallel()
	made := t.TempDir()
	started := false
	root := newRoot(stdio{}, &started)
	root.DisableAutoGenTag = true
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) // or each day would be a change
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &date, Source: "Spillway", Manual: "Spillway"}, made); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join("..", "..", "docs", "man")
	if *update {
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(kept, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dirs := range [][2]string{{made, kept}, {kept, made}} {
		pages, err := os.ReadDir(dirs[0])
		if err != nil || len(pages) == 0 {
			t.Fatalf("%d pages in %s, %v", len(pages), dirs[0], err)
		}
		for _, page := range pages {
			a, err := os.ReadFile(filepath.Join(dirs[0], page.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(filepath.Join(dirs[1], page.Name())); err != nil || !bytes.Equal(a, b) {
				t.Errorf("docs/man/%s is not what the command says: go test ./cmd/spillway -run TestManPages -update", page.Name())
			}
		}
	}
}
