package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

func decode[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// Page by page the log is had whole, whatever the page, and by region.
func TestLogPages(t *testing.T) {
	b := open(t, nil)
	for i := range 50 {
		b.fill(fmt.Sprintf("e%d", i%3), 7)
	}
	for _, query := range []string{"limit=1000", "limit=7", "limit=1", "limit=3&entity=e1", "limit=5&region=" + url.QueryEscape("entity=e2|scope=shop"), "limit=2&region=" + url.QueryEscape("clock=3..5")} {
		seen := 0
		for from := "start"; ; {
			r := b.get("/v1/log?" + query + "&from=" + from)
			if r.status != http.StatusOK {
				t.Fatalf("%s: %d %s", query, r.status, r.body)
			}
			for line := range strings.Lines(string(r.body)) {
				e, err := sse.ParseJSON([]byte(line))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(query, "entity=e1") && e.Coordinate.Entity() != "e1" || strings.Contains(query, "clock") && (e.Position.Sequence < 3 || e.Position.Sequence > 5) {
					t.Errorf("%s: got %v", query, e.Coordinate)
				}
				seen++
			}
			next := r.header.Get("Spillway-Next")
			if next == from {
				break
			}
			from = next
		}
		want := 350
		switch {
		case strings.Contains(query, "e1"):
			want = 17 * 7
		case strings.Contains(query, "e2"):
			want = 16 * 7
		case strings.Contains(query, "clock"):
			want = 3 * 3
		}
		if seen != want {
			t.Errorf("%s: %d events, want %d", query, seen, want)
		}
	}
}

func TestLogRefusals(t *testing.T) {
	b := open(t, func(o *server.Options) {
		log, err := memlog.New(memlog.Options{MaxEvents: 5})
		if err != nil {
			t.Fatal(err)
		}
		o.Log = log
	})
	for range 10 {
		b.fill("a", 1)
	}
	for query, c := range map[string]struct {
		status int
		kind   string
	}{
		"from=2": {410, "compacted"}, "from=11": {410, "beyond"}, "from=00000000-3": {410, "replaced"},
		"from=-1": {400, "place"}, "from=x": {400, "place"}, "from=%2B7": {400, "place"}, "from=18446744073709551616": {400, "place"},
		"from=007": {400, "place"}, "from=a%0Ab%0Ac%0Axx-3": {400, "place"}, "from=ABCDEF01-3": {400, "place"}, "last_event_id=3": {400, "query"},
		"limit=0": {400, "limit"}, "limit=x": {400, "limit"}, "limt=3": {400, "query"}, "limit=1&limit=2": {400, "query"}, "%zz": {400, "query"},
		"region=nonsense": {400, "region"}, "region=*&entity=a": {400, "region"}, "entity=a/b": {400, "region"}, "kind=9": {400, "region"},
	} {
		if r := b.get("/v1/log?" + query); !r.is(t, c.status, c.kind) {
			t.Errorf("%s: got %d %s, want %d %s", query, r.status, r.body, c.status, c.kind)
		}
	}
	if p := b.get("/v1/log?from=2").problem(t); *p.Left != 5 {
		t.Errorf("left is %d, want 5", *p.Left)
	}
	if r := b.get("/v1/log?from=10"); r.status != 200 || len(r.body) != 0 || !strings.HasSuffix(r.header.Get("Spillway-Next"), "-10") {
		t.Errorf("at the end: %d %s %v", r.status, r.body, r.header)
	}
}

// A letter too many asks for nothing that was not meant: what a route has no parameter of is refused by its name.
func TestUnknownParameters(t *testing.T) {
	b := open(t, nil)
	b.fill("a", 1)
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/events?entitiy=a"},
		{"GET", "/v1/events?entity=a&entitiy=b"},
		{"GET", "/v1/events?limit=1"},
		{"GET", "/v1/activity?entitiy=a"},
		{"HEAD", "/v1/events?entitiy=a"},
		{"GET", "/v1/log?entitiy=a"},
		{"GET", "/v1/tree?entitiy=a"},
		{"GET", "/v1/subscriptions?entitiy=a"},
		{"DELETE", "/v1/subscriptions/1?entitiy=a"},
		{"POST", "/v1/events?entitiy=a"},
	} {
		r := b.do(c.method, c.path, strings.NewReader(""), "Content-Type", asJSON)
		if c.method == "HEAD" {
			if r.status != http.StatusBadRequest {
				t.Errorf("%s %s: %d", c.method, c.path, r.status)
			}
			continue
		}
		p := r.problem(t)
		if !r.is(t, http.StatusBadRequest, "query") || !strings.Contains(p.Detail, `"entitiy"`) && !strings.Contains(p.Detail, `"limit"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
		if c.method == "POST" && (p.Accepted == nil || *p.Accepted != 0) {
			t.Errorf("%s doesn't say that nothing was accepted", r.body)
		}
	}
}

type subscriptions struct {
	Subscriptions []struct {
		ID       uint64
		Region   string
		Capacity int
	}
	More bool
}

// A subscription is found by its region, and ended by its id: its stream says where to resume, and its client may come back.
func TestSubscriptions(t *testing.T) {
	b := open(t, nil)
	s := b.stream("/v1/events?entity=a")
	other := b.stream("/v1/events?entity=b")
	var of subscriptions
	until(t, "both are there", func() bool {
		of = decode[subscriptions](t, b.get("/v1/subscriptions").body)
		return len(of.Subscriptions) == 2
	})
	if some := decode[subscriptions](t, b.get("/v1/subscriptions?limit=1").body); len(some.Subscriptions) != 1 || !some.More || of.More {
		t.Errorf("got %+v of %+v", some, of)
	}
	for _, one := range of.Subscriptions {
		if one.Region != "entity=a" {
			continue
		}
		if one.Capacity < 1 {
			t.Errorf("got %+v", one)
		}
		path := fmt.Sprintf("/v1/subscriptions/%d", one.ID)
		if r := b.do("DELETE", path, http.NoBody); r.status != http.StatusNoContent {
			t.Errorf("got %d %s", r.status, r.body)
		}
		if r := b.do("DELETE", path, http.NoBody); !r.is(t, http.StatusNotFound, "subscription") {
			t.Errorf("again: %d %s", r.status, r.body)
		}
	}
	f, ok := s.next()
	if !ok || f.event != "spillway.end" || !strings.Contains(f.data, `"reason":"ended"`) || !strings.Contains(f.data, `"from":`) {
		t.Errorf("got %+v, %v", f, ok)
	}
	b.fill("b", 1)
	if f, ok := other.next(); !ok || f.sequence(t) != 0 {
		t.Errorf("the other: %+v, %v", f, ok)
	}
	for _, bad := range []string{"x", "-1", "99999999999999999999"} {
		if r := b.do("DELETE", "/v1/subscriptions/"+bad, http.NoBody); !r.is(t, http.StatusBadRequest, "id") {
			t.Errorf("%s: %d %s", bad, r.status, r.body)
		}
	}
}

type children struct {
	Prefix   string
	Children []struct {
		Name   string
		Events int
		More   bool
	}
	More bool
}

func (b *bed) tree(query string) children {
	b.t.Helper()
	return decode[children](b.t, b.get("/v1/tree"+query).body)
}

func TestTree(t *testing.T) {
	b := open(t, nil)
	for _, e := range []string{"a", "a:b", "a:b:c", "a:d", "z"} {
		b.fill(e, 2)
	}
	until(t, "all is read", func() bool {
		all := b.tree("")
		return len(all.Children) == 2 && all.Children[0].Events == 8 && all.Children[1].Events == 2
	})
	for query, want := range map[string]string{
		"":                      "{ [{a 8 true} {z 2 false}] false}",
		"?limit=1":              "{ [{a 8 true}] true}",
		"?after=a":              "{ [{z 2 false}] false}",
		"?prefix=a":             "{a [{b 4 true} {d 2 false}] false}",
		"?prefix=a:b":           "{a:b [{c 2 false}] false}",
		"?prefix=a:b:c":         "{a:b:c [] false}",
		"?prefix=q":             "{q [] false}",
		"?prefix=a&after=b":     "{a [{d 2 false}] false}",
		"?prefix=a&after=bb":    "{a [{d 2 false}] false}",
		"?prefix=a&after=zzzzz": "{a [] false}",
	} {
		if got := fmt.Sprint(b.tree(query)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for _, bad := range []string{"?prefix=a::b", "?prefix=..", "?prefix=a/b", "?limit=0", "?x=1"} {
		if r := b.get("/v1/tree" + bad); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, r.status, r.body)
		}
	}
}

// What is in the log when the server starts is in the tree, what is too much is said, and counted where it belongs.
func TestTreeIsBounded(t *testing.T) {
	b := open(t, func(o *server.Options) {
		var ds []cursor.Draft
		for i := range 100 {
			c, err := region.NewCoordinate(fmt.Sprintf("a:e%02d", i), "shop")
			if err != nil {
				t.Fatal(err)
			}
			ds = append(ds, cursor.Draft{Coordinate: c, Kind: region.KindData})
		}
		if _, err := o.Log.Append(context.Background(), ds); err != nil {
			t.Fatal(err)
		}
		o.Bounds.Names = 10
	})
	until(t, "all is read", func() bool {
		all := b.tree("")
		return len(all.Children) == 1 && all.Children[0].Events == 100
	})
	if got := b.tree("?prefix=a"); len(got.Children) != 9 || !got.More {
		t.Errorf("got %+v, want 9 and more", got)
	}
	if n := b.metric("spillway_tree_names"); n != 10 {
		t.Errorf("%v names, want 10", n)
	}
}

// Activity has figures at once and each second, what ends, and events of the regions that it asks for: without any, none.
func TestActivity(t *testing.T) {
	b := open(t, nil)
	none := b.stream("/v1/activity")
	some := b.stream("/v1/activity?entity=a")
	first, _ := none.next()
	if figures := decode[struct {
		At  int64
		Log struct{ ID string }
	}](t, []byte(first.data)); first.event != "stats" || first.id != "" || figures.At == 0 || figures.Log.ID != b.log.ID().String() {
		t.Errorf("got %+v", first)
	}
	b.fill("a", 2)
	b.fill("b", 1)
	short := b.stream("/v1/events?entity=q")
	until(t, "it has subscribed", func() bool { return strings.Contains(string(b.get("/v1/subscriptions").body), `"region":"entity=q"`) })
	short.close()
	got := map[string]int{}
	for got["ended"] == 0 || got["event"] < 2 {
		f, ok := some.next()
		switch {
		case !ok:
			t.Fatal("the stream has ended")
		case f.id != "":
			got["event"]++
			if f.sequence(t) > 1 {
				t.Errorf("got %+v", f)
			}
		case f.event == "ended" && strings.Contains(f.data, `"region":"entity=q"`):
			got["ended"]++
		}
	}
	for {
		f, ok := none.next()
		if !ok || f.id != "" {
			t.Fatalf("got %+v, %v", f, ok)
		}
		if f.event == "stats" && strings.Contains(f.data, `"appended":3`) {
			break
		}
	}
}
