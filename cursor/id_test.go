package cursor_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
)

// TestNewID: UUIDs of version 7, each later than those before.
func TestNewID(t *testing.T) {
	last := cursor.NewID()
	for range 10_000 {
		id := cursor.NewID()
		if version, variant := id[6]>>4, id[8]>>6; version != 7 || variant != 0b10 {
			t.Fatalf("%s has version %d, variant %b; want 7, 10", id, version, variant)
		}
		if bytes.Compare(last[:], id[:]) >= 0 {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
}

func TestLogID(t *testing.T) {
	a, b := cursor.NewLogID(), cursor.NewLogID()
	if a == b || a == (cursor.LogID{}) {
		t.Errorf("two logs are %s and %s", a, b)
	}
	if got := (cursor.LogID{0: 0xab, 15: 1}).String(); got != "ab"+strings.Repeat("00", 14)+"01" {
		t.Errorf("String() = %s", got)
	}
}
