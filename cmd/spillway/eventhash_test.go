package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

func decodedLine(t *testing.T, line string) *core.Envelope {
	t.Helper()
	d, err := newDecoder("spillway", nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := decode(d, []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The bytes that are hashed, and the hash, are those on the page.
func TestEventHashIsAsDrawn(t *testing.T) {
	const (
		line   = `{"entity":"shop:order1","scope":"main","kind":"0x1:0x002","lane":3,"time":1700000000000,"payload":"paid"}`
		hashed = "000000000000000000000000000000010000000b73686f703a6f7264657231000000046d61696e100200000003000000000000018bcfe568000000000470616964"
		want   = "7238d64b4895d58c"
	)
	e := decodedLine(t, line)
	if got := hex.EncodeToString(append(appendEvent(nil, e), e.Payload...)); got != hashed {
		t.Errorf("hashed %s, want %s", got, hashed)
	}
	if got := hashOf([]*core.Envelope{e}); got.String() != want || got.count != 1 {
		t.Errorf("the hash of %d is %s, want %s", got.count, got, want)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "event-hash.md"))
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(string(page)), "")
	for _, what := range []string{line, hashed, "`" + want + "`"} {
		if !strings.Contains(said, what) {
			t.Errorf("docs/formats/event-hash.md doesn't have %s", what)
		}
	}
	if got := newEventHash().String(); got != "ef46db3751d8e999" { // xxhash64's of nothing
		t.Errorf("the hash of nothing is %s", got)
	}
}

// Whatever is changed of what is hashed changes the hash, and so does the order; what a log adds doesn't.
func TestEventHashSeesEverything(t *testing.T) {
	const line = `{"id":"0000000000000000000000000000000a","entity":"ab","scope":"c","kind":"0x1:0x002","lane":3,"depth":4,"time":5,"payload":"six"}`
	seen := map[string]string{hashOf([]*core.Envelope{decodedLine(t, line)}).String(): "as it is"}
	for _, change := range [][2]string{
		{"000a", "000b"},
		{`"ab","scope":"c"`, `"a","scope":"bc"`}, // the same bytes, apart elsewhere
		{`"ab"`, `"ba"`},
		{`"c"`, `"d"`},
		{"0x1:0x002", "0x1:0x003"},
		{`"lane":3,"depth":4`, `"lane":4,"depth":3`},
		{`"depth":4`, `"depth":5`},
		{`"time":5`, `"time":6`},
		{"six", "sex"},
		{`"payload":"six"`, `"payload":null`},
	} {
		changed := strings.Replace(line, change[0], change[1], 1)
		h := hashOf([]*core.Envelope{decodedLine(t, changed)}).String()
		if was, ok := seen[h]; ok || changed == line {
			t.Errorf("%s has the hash of %s", changed, was)
		}
		seen[h] = changed
	}
	one, two := decodedLine(t, line), decodedLine(t, strings.Replace(line, "000a", "000b", 1))
	if hashOf([]*core.Envelope{one, two}).String() == hashOf([]*core.Envelope{two, one}).String() {
		t.Error("two events have one hash in either order")
	}
	same := *one
	same.Sequence, same.Position.Sequence, same.Position.WallMS, same.Position.Counter = 7, 7, 7, 7
	if got, want := hashOf([]*core.Envelope{&same}).String(), hashOf([]*core.Envelope{one}).String(); got != want {
		t.Errorf("what a log adds has changed the hash from %s to %s", want, got)
	}
}
