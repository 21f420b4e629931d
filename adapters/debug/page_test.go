package debug_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// answer is the JSON of the page, as a reader of it writes it down.
type answer struct {
	Time    time.Time `json:"time"`
	Fanouts []struct {
		Name       string  `json:"name"`
		Live       int     `json:"live"`
		PrunedFull uint64  `json:"pruned_full"`
		SlowClose  float64 `json:"slow_close_seconds"`
	} `json:"fanouts"`
	Total         int    `json:"total"`
	Sort          string `json:"sort"`
	Subscriptions []struct {
		Fanout, Region, Sink, Site string
		ID, Lost                   uint64
		Held, Capacity             int
		Since                      time.Time
	} `json:"subscriptions"`
}

func askJSON(t *testing.T, target string, sources ...core.Source) (a answer) {
	t.Helper()
	w := ask(t, debug.Handler(sources...), "GET", target, "application/json")
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Errorf("%s: %v", target, err)
	}
	if w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Errorf("%s: Content-Length %s of %d bytes", target, w.Header().Get("Content-Length"), w.Body.Len())
	}
	return a
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// info is a subscription that has been there for some minutes.
func info(id uint64, held, capacity, minutes int, lost uint64) core.Info {
	return core.Info{ID: id, Held: held, Capacity: capacity, Lost: lost, Since: noon.Add(-time.Duration(minutes) * time.Minute)}
}

// TestOrder: whatever order the subscriptions come in, and whatever the limit, the page has them in the same.
func TestOrder(t *testing.T) {
	a := []core.Info{
		info(1, 0, 0, 90, 50), // an overwriting ring doesn't say what it holds
		info(2, 0, 8, 80, 0),
		info(3, 7, 8, 1, 0),
		info(4, 50, 100, 2, 0),
		info(5, 1, 2, 5, 3),
		info(6, 1, 2, 2, 0), // as full and as old as 4
		info(7, 0, 0, 95, 0),
	}
	b := []core.Info{info(1, 1, 1, 1, 0), info(4, 50, 100, 2, 0)}
	for query, want := range map[string][]string{
		"sort=full": {"b1", "a3", "a5", "a4", "a6", "b4", "a2", "a7", "a1"},
		"sort=lost": {"a1", "a5", "b1", "a3", "a4", "a6", "b4", "a2", "a7"},
		"":          {"b1", "a3", "a5", "a4", "a6", "b4", "a2", "a7", "a1"},
	} {
		for limit := 1; limit <= len(want)+1; limit++ {
			for range 5 {
				rand.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
				page := askJSON(t, fmt.Sprintf("/?limit=%d&%s", limit, query), of("a", a...), nil, of("b", b...))
				var got []string
				for _, s := range page.Subscriptions {
					got = append(got, fmt.Sprint(s.Fanout, s.ID))
				}
				if first := want[:min(limit, len(want))]; !slices.Equal(got, first) || page.Total != len(want) {
					t.Fatalf("%s, limit %d: got %v of %d, want %v", query, limit, got, page.Total, first)
				}
			}
		}
	}
}

func TestLimit(t *testing.T) {
	const many = 100_000
	s := source{name: "orders", infos: func(yield func(core.Info) bool) {
		for i := range many {
			if !yield(info(uint64(i), i, many, 1, 0)) {
				return
			}
		}
	}}
	for target, want := range map[string]int{
		"/": 200, "/?limit=": 200, "/?limit=1": 1, "/?limit=1000": 1000, "/?limit=1001": 1000, "/?limit=99999999999999999999": 1000,
	} {
		page := askJSON(t, target, s)
		if len(page.Subscriptions) != want || page.Total != many {
			t.Fatalf("%s: %d of %d, want %d of %d", target, len(page.Subscriptions), page.Total, want, many)
		}
		if first, last := page.Subscriptions[0].ID, page.Subscriptions[want-1].ID; first != many-1 || last != uint64(many-want) {
			t.Errorf("%s: from %d to %d, want the fullest", target, first, last)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body := ask(t, debug.Handler(s), "GET", "/?limit=3").Body.String()
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > many*10 {
		t.Errorf("a page of 3 took %d bytes: it keeps all %d", taken, many)
	}
	if !strings.Contains(body, "3 of 100000, the fullest first") || strings.Count(body, "<meter") != 3 {
		t.Errorf("the page doesn't say that it shows 3 of 100,000: %.300s", body)
	}
	if !strings.Contains(body, `href="?limit=3&amp;sort=lost"`) || !strings.Contains(body, `href="?format=json&amp;limit=3&amp;sort=full"`) {
		t.Error("its links don't keep the limit")
	}
}

// TestClientGone: nobody reads the page, so the walk ends.
func TestClientGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	walked := 0
	s := source{name: "orders", infos: func(yield func(core.Info) bool) {
		for yield(core.Info{ID: uint64(walked)}) {
			if walked++; walked == 10 {
				cancel()
			}
		}
	}}
	w := httptest.NewRecorder()
	debug.Handler(s).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	if walked != 10 || w.Body.Len() != 0 {
		t.Errorf("walked %d and wrote %d bytes, want 10 and none", walked, w.Body.Len())
	}
}

// TestNothing: lists that are empty are lists.
func TestNothing(t *testing.T) {
	body := ask(t, debug.Handler(nil, nil), "GET", "/?format=json").Body.String()
	if !strings.Contains(body, `"fanouts":[]`) || !strings.Contains(body, `"subscriptions":[]`) {
		t.Errorf("got %s, want empty lists", body)
	}
	if page := ask(t, debug.Handler(), "GET", "/").Body.String(); !strings.Contains(page, "0 of 0") {
		t.Errorf("got %s", page)
	}
}

// TestSourceThatCannotBeTold: a date that JSON has no form for is an error, not half a page.
func TestSourceThatCannotBeTold(t *testing.T) {
	s := of("orders", core.Info{Since: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if w := ask(t, debug.Handler(s), "GET", "/?format=json"); w.Code != 500 || !strings.HasPrefix(w.Body.String(), "spillway/debug: ") {
		t.Errorf("got %d, %s; want 500", w.Code, w.Body)
	}
	for _, i := range []core.Info{info(1, math.MaxInt, 1, 0, 0), info(1, math.MinInt, math.MaxInt, 0, 0), info(1, 5, -5, 0, 0)} {
		if w := ask(t, debug.Handler(of("orders", i)), "GET", "/"); w.Code != 200 || strings.Contains(w.Body.String(), "ZgotmplZ") {
			t.Errorf("held %d of %d: got %d", i.Held, i.Capacity, w.Code)
		}
	}
}

var (
	tag      = regexp.MustCompile(`<[^>]*>`)
	isolated = regexp.MustCompile(`<bdi>([^<]*)</bdi>`)
)

// TestHostileNames: the page's tags are the same whatever the names are, and its text is what was meant to be seen.
func TestHostileNames(t *testing.T) {
	get := func(name, format string) string {
		i := info(1, 3, 4, 5, 6)
		i.Region, i.Sink, i.Site = region.Region{Entity: name}, name, name+":1"
		s := of(name, i)
		s.stats.Live = 1
		return ask(t, debug.Handler(s), "GET", "/?format="+format).Body.String()
	}
	tags := tag.FindAllString(get("plain", "html"), -1)
	for _, c := range []struct{ name, want string }{
		{"plain", "plain"},
		{"", ""},
		{"<script>alert(1)</script>", "<script>alert(1)</script>"},
		{"</bdi></td></table><img src=x onerror=alert(1)>", "</bdi></td></table><img src=x onerror=alert(1)>"},
		{`"'` + "`><b>", `"'` + "`><b>"},
		{"{{.}} {{template \"page\"}}", "{{.}} {{template \"page\"}}"},
		{"&lt;b&gt;&amp;", "&lt;b&gt;&amp;"},
		{"javascript:alert(1)", "javascript:alert(1)"},
		{"-->]]><!--", "-->]]><!--"},
		{"a\nb\r\tc", `"a\nb\r\tc"`},
		{"a\x00b\x1b[31m\x7f", `"a\x00b\x1b[31m\x7f"`},
		{"a\xffb", `"a\xffb"`},
		{"\xed\xa0\x80", `"\xed\xa0\x80"`},
		{"a\u202egnp.exe", `"a\u202egnp.exe"`},
		{"\u2066\u200b\ufeff\u2028", `"\u2066\u200b\ufeff\u2028"`},
		{"שלום", "שלום"},
		{"日本 😀", "日本 😀"},
		{strings.Repeat("x", 5000), strings.Repeat("x", 5000)},
	} {
		page := get(c.name, "html")
		if got := tag.FindAllString(page, -1); !slices.Equal(got, tags) {
			t.Errorf("%.50q changed the page's tags", c.name)
		}
		if !utf8.ValidString(page) || strings.ContainsFunc(page, func(r rune) bool { return r != '\n' && r != ' ' && !unicode.IsPrint(r) }) {
			t.Errorf("%.50q: the page holds what can't be seen", c.name)
		}
		var got []string
		for _, m := range isolated.FindAllStringSubmatch(page, -1) {
			got = append(got, html.UnescapeString(m[1]))
		}
		if len(got) != 5 || got[0] != c.want || got[1] != c.want || got[3] != c.want {
			t.Errorf("%.50q is shown as %.300q, want %.50q", c.name, got, c.want)
		}

		var a answer
		if err := json.Unmarshal([]byte(get(c.name, "json")), &a); err != nil {
			t.Errorf("%.50q: %v", c.name, err)
			continue
		}
		plain := strings.ToValidUTF8(c.name, "\ufffd")
		if strings.ContainsRune(plain, utf8.RuneError) {
			continue // one for each byte, or for all: that is the encoder's affair
		}
		if a.Fanouts[0].Name != plain || a.Subscriptions[0].Sink != plain {
			t.Errorf("JSON: got %.50q, want %.50q", a.Fanouts[0].Name, plain)
		}
	}
}

// TestFanout: what the page says of a real one.
func TestFanout(t *testing.T) {
	f := core.New(core.Config[int]{Name: "orders"})
	defer end(t, f)
	for _, capacity := range []int{1, 4, 2} {
		if _, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity); err != nil {
			t.Fatal(err)
		}
	}
	f.Broadcast(1)
	f.Broadcast(2) // prunes the first
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := askJSON(t, "/", f)
	if len(page.Fanouts) != 1 || page.Fanouts[0].Name != "orders" || page.Fanouts[0].Live != 2 || page.Fanouts[0].PrunedFull != 1 {
		t.Errorf("fan-outs: got %+v", page.Fanouts)
	}
	if page.Total != 2 || len(page.Subscriptions) != 2 {
		t.Fatalf("got %+v, want two subscriptions", page)
	}
	s := page.Subscriptions[0]
	if s.ID != 3 || s.Held != 2 || s.Capacity != 2 || s.Region != "*" || !strings.Contains(s.Site, "page_test.go:") || s.Since.After(page.Time) {
		t.Errorf("the fullest: got %+v", s)
	}
	if s := page.Subscriptions[1]; s.ID != 2 || s.Held != 2 || s.Capacity != 4 {
		t.Errorf("the other: got %+v", s)
	}
}

// slowToSay is a sink that is asked what it holds and does not answer until it may.
type slowToSay struct {
	asked, answer chan struct{}
	once          *sync.Once
}

func (slowToSay) Offer(int) core.Verdict { return core.Accepted }
func (slowToSay) Close(error)            {}

func (s slowToSay) Held() (held, capacity int) {
	s.once.Do(func() { close(s.asked) })
	<-s.answer
	return 3, 4
}

// TestStuckPageHoldsUpNobody: while the page waits for a sink of the user's, broadcasts end, and subscriptions
// begin and end.
func TestStuckPageHoldsUpNobody(t *testing.T) {
	f := core.New(core.Config[int]{Name: "orders"})
	defer end(t, f)
	stuck := slowToSay{asked: make(chan struct{}), answer: make(chan struct{}), once: new(sync.Once)}
	if _, err := f.Subscribe(t.Context(), region.Region{}, stuck); err != nil {
		t.Fatal(err)
	}
	pages := make(chan answer)
	go func() { pages <- askJSON(t, "/", f) }()
	<-stuck.asked
	for i := range 100 {
		if out := f.Broadcast(i); out.Accepted != 1 {
			t.Errorf("broadcast %d: %+v", i, out)
		}
	}
	other, err := channel.Subscribe(t.Context(), f, region.Region{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	other.Cancel()
	<-other.Done()
	select {
	case <-pages:
		t.Fatal("the page did not wait: this test shows nothing")
	default:
	}
	close(stuck.answer)
	if page := <-pages; page.Total != 1 || page.Subscriptions[0].Held != 3 || page.Subscriptions[0].Capacity != 4 {
		t.Errorf("got %+v", page)
	}
}
