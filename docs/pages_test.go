package docs_test

import (
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestPictures: each is small, can be read out, has colours for dark pages, and fetches nothing.
func TestPictures(t *testing.T) {
	const largest = 10_000 // bytes
	pictures := 0
	for _, name := range files(t, ".svg") {
		if path.Dir(name) != "docs/images" {
			continue // those of docs/benchmarks are bench/report's
		}
		pictures++
		picture := read(t, name)
		if len(picture) > largest {
			t.Errorf("%s has %d bytes, want at most %d", name, len(picture), largest)
		}
		for _, want := range []string{"<title ", "<desc ", "<text ", "(prefers-color-scheme: dark)"} {
			if !strings.Contains(picture, want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
		if m := regexp.MustCompile(`(?:href|src)=|url\(|@import|<script|<image`).FindString(picture); m != "" {
			t.Errorf("%s has %s: it is to stand by itself", name, m)
		}
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
	if pictures == 0 {
		t.Error("docs/images is empty")
	}
}

var row = regexp.MustCompile(`\bP\d+[a-z]?\b`)

// TestRowsAreMeasured: each row that the README or a guide names has figures in docs/benchmarks.md or in a decision.
func TestRowsAreMeasured(t *testing.T) {
	measured := make(map[string]bool)
	pages := files(t, ".md")
	for _, page := range pages {
		if page == "docs/benchmarks.md" || strings.HasPrefix(page, "docs/decisions/") {
			for _, name := range row.FindAllString(read(t, page), -1) {
				measured[name] = true
			}
		}
	}
	named := 0
	for _, page := range pages {
		if page != "README.md" && !strings.HasPrefix(page, "docs/guides/") {
			continue
		}
		for _, name := range row.FindAllString(read(t, page), -1) {
			named++
			if !measured[name] {
				t.Errorf("%s names row %s, which is neither in docs/benchmarks.md nor in a decision", page, name)
			}
		}
	}
	if named == 0 {
		t.Error("no page names a row: what are they called now?")
	}
}
