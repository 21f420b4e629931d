package cursor_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// kinds are those of what happens to a file.
var kinds = map[string]region.Kind{"A": 0x1001, "M": 0x1002, "D": 0x1003}

// events returns drafts to append again and again: the beginning of the real history that lies beside the checkout, or all of it where
// SPILLWAY_HANDOFFS is set; where it doesn't, or the test is to be short, a thousand made up.
func events(t testing.TB) []cursor.Draft {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "shared", "data", "git-events.jsonl.gz"))
	if testing.Short() || errors.Is(err, fs.ErrNotExist) {
		var ds []cursor.Draft
		for i := range 1000 {
			ds = append(ds, draft(t, []string{"etcd", "bbolt"}[i%2], fmt.Sprintf("%c/%d.go", 'a'+i%7, i%13), []string{"A", "M", "M", "D"}[i%4]))
		}
		return ds
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var ds []cursor.Draft
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	most := 20_000
	if os.Getenv("SPILLWAY_HANDOFFS") != "" {
		most = 1 << 30
	}
	for len(ds) < most && lines.Scan() {
		var line struct{ Repo, Op, Path string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		ds = append(ds, draft(t, line.Repo, line.Path, line.Op))
	}
	if err := lines.Err(); err != nil || len(ds) == 0 {
		t.Fatalf("%d events, %v", len(ds), err)
	}
	return ds
}

func draft(t testing.TB, repo, path, op string) cursor.Draft {
	segments := strings.Split(repo+"/"+path, "/")
	if path == "" { // a commit without a change
		segments = segments[:1]
	}
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(region.Escape(s), ":", "%3A")
	}
	c, err := region.NewCoordinate(strings.Join(segments, ":"), "git")
	if err != nil {
		t.Fatal(err)
	}
	k, ok := kinds[op]
	if !ok {
		k = 0x1004
	}
	return cursor.Draft{Coordinate: c, Kind: k}
}

// parts are regions of the events: all, those of the first's repository, those in its first folder, and what was deleted.
func parts(ds []cursor.Draft) []region.Region {
	entity := ds[0].Coordinate.Entity()
	first := strings.IndexByte(entity, ':')
	second := strings.IndexByte(entity[first+1:]+":", ':')
	return []region.Region{
		{},
		{Entity: entity[:first]},
		{Entity: entity[:first+1+second]},
		{Kind: region.OneKind(kinds["D"])},
	}
}
