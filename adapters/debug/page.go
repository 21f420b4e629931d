package debug

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/core"
)

// page is what the template and the JSON encoder are given.
type page struct {
	Time          time.Time      `json:"time"`
	Fanouts       []fanout       `json:"fanouts"`
	Total         int            `json:"total"` // subscriptions there are
	Sort          string         `json:"sort"`
	Subscriptions []subscription `json:"subscriptions"` // the first of them
	limit         int
}

// fanout is core.Stats, with names that JSON keeps.
type fanout struct {
	Name         string  `json:"name"`
	Live         int     `json:"live"`
	Retiring     int     `json:"retiring"`
	SlowClose    float64 `json:"slow_close_seconds"`
	Subscribed   uint64  `json:"subscribed"`
	Cancelled    uint64  `json:"cancelled"`
	PrunedFull   uint64  `json:"pruned_full"`
	PrunedClosed uint64  `json:"pruned_closed"`
	Broadcasts   uint64  `json:"broadcasts"`
	Matched      uint64  `json:"matched"`
	Accepted     uint64  `json:"accepted"`
	Lost         uint64  `json:"lost"`
	Panics       uint64  `json:"panics"`
}

// subscription is core.Info, the same way.
type subscription struct {
	Fanout   string    `json:"fanout"`
	ID       uint64    `json:"id"`
	Region   string    `json:"region"`
	Sink     string    `json:"sink"`
	Held     int       `json:"held"`
	Capacity int       `json:"capacity"` // 0: the sink doesn't say
	Lost     uint64    `json:"lost"`
	Since    time.Time `json:"since"`
	Site     string    `json:"site"`
}

// page asks the sources. The error is ctx's.
func (h *handler) page(ctx context.Context, q query, now time.Time) (*page, error) {
	p := &page{Time: now, Sort: q.sort, limit: q.limit, Fanouts: []fanout{}, Subscriptions: []subscription{}}
	for _, source := range h.sources {
		s := source.Stats()
		p.Fanouts = append(p.Fanouts, fanout{
			Name: source.Name(), Live: s.Live, Retiring: s.Retiring, SlowClose: s.SlowClose.Seconds(),
			Subscribed: s.Subscribed, Cancelled: s.Cancelled, PrunedFull: s.PrunedFull, PrunedClosed: s.PrunedClosed,
			Broadcasts: s.Broadcasts, Matched: s.Matched, Accepted: s.Accepted, Lost: s.Lost, Panics: s.Panics,
		})
	}
	first, total, err := h.first(ctx, q)
	if err != nil {
		return nil, err
	}
	p.Total = total
	for _, i := range first {
		p.Subscriptions = append(p.Subscriptions, subscription{
			Fanout: h.sources[i.source].Name(), ID: i.ID, Region: i.Region.String(), Sink: i.Sink,
			Held: i.Held, Capacity: i.Capacity, Lost: i.Lost, Since: i.Since, Site: i.Site,
		})
	}
	return p, nil
}

// found is one subscription, and in which source.
type found struct {
	core.Info
	source int
}

// first returns the first limit subscriptions in the order asked for, and how many there are in all.
func (h *handler) first(ctx context.Context, q query) (first []found, total int, err error) {
	order := byFullness
	if q.sort == sortLost {
		order = byLoss
	}
	// What is twice the limit is sorted and cut to the limit: the memory is the request's, not the sources'.
	first = make([]found, 0, 2*q.limit)
	cut := func() {
		slices.SortFunc(first, order)
		first = first[:min(len(first), q.limit)]
	}
	for at, source := range h.sources {
		for info := range source.Subscriptions() {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			total++
			if first = append(first, found{info, at}); len(first) == cap(first) {
				cut()
			}
		}
	}
	cut()
	return first, total, nil
}

// byFullness puts the fullest first, then the oldest. No two are alike to it, so the order in which the
// subscriptions come makes no difference.
func byFullness(a, b found) int {
	return cmp.Or(
		cmp.Compare(fullness(b.Held, b.Capacity), fullness(a.Held, a.Capacity)),
		a.Since.Compare(b.Since),
		cmp.Compare(a.source, b.source),
		cmp.Compare(a.ID, b.ID),
	)
}

func byLoss(a, b found) int {
	return cmp.Or(cmp.Compare(b.Lost, a.Lost), byFullness(a, b))
}

// fullness returns what part of a buffer is in use; -1, less than that of an empty one, where it isn't known.
func fullness(held, capacity int) float64 {
	if capacity < 1 {
		return -1
	}
	return float64(held) / float64(capacity)
}

// Below are the template's.

// Fullness is from 0 to 1.
func (s subscription) Fullness() float64 { return max(0, fullness(s.Held, s.Capacity)) }

// Age returns how long ago t was.
func (p *page) Age(t time.Time) time.Duration { return p.Time.Sub(t).Round(time.Second) }

// Link returns the address of the same page, sorted or encoded in another way.
func (p *page) Link(key, value string) string {
	values := url.Values{"sort": {p.Sort}, "limit": {strconv.Itoa(p.limit)}}
	values.Set(key, value)
	return "?" + values.Encode()
}

// visible returns a text as it is where all of it can be seen, and else as Go would quote it: a name with a line
// feed, a mark that turns the direction of writing, or bytes that are no UTF-8 deceives nobody.
func visible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	return strconv.Quote(text)
}
