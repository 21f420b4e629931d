package memlog_test

import (
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestLogStats: what is kept, and what was dropped, is in the figures.
func TestLogStats(t *testing.T) {
	log, err := memlog.New(memlog.Options{MaxEvents: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, entity := range []string{"a", "b", "a", "b", "a"} {
		c, err := region.NewCoordinate(entity, "shop")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), []cursor.Draft{{Coordinate: c, Payload: []byte("ten bytes.")}}); err != nil {
			t.Fatal(err)
		}
	}
	want := cursor.LogStats{Bounds: cursor.Bounds{First: 2, Next: 5}, Bytes: 30, Entities: 2, Level: cursor.NoSync()}
	if got := log.LogStats(); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}
