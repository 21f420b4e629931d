package server

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

const (
	usualPage = 1000
	mostPage  = 10_000
	pageBytes = megabyte // after which a page ends
	pageReads = 64       // of the log, for one page: each looks at some thousand events
)

// getLog answers with a page of the log: the events of a region, from a sequence on, a line each. Where to go on is in a header.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request) {
	q, p := query(r, slices.Concat(regionFields, []string{"from", "limit"})...)
	if p != nil {
		p.Write(w)
		return
	}
	limit, p := limited(q["limit"], usualPage, mostPage)
	if p != nil {
		p.Write(w)
		return
	}
	of, err := regionIn(q)
	if err != nil {
		problem.New(http.StatusBadRequest, "region", "%s.", strings.TrimPrefix(err.Error(), "spillway/region: ")).Write(w)
		return
	}
	b, err := s.o.Log.Bounds(r.Context())
	if err != nil {
		unread(err).Write(w)
		return
	}
	from, p := s.placeIn(q["from"], b)
	if p != nil {
		p.Write(w)
		return
	}
	page, next, err := s.page(r, of, from, limit)
	if err != nil {
		unread(err).Write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	h.Set("Spillway-Log", s.o.Log.ID().String())
	h.Set("Spillway-Next", s.place(next))
	_, _ = w.Write(page) // if that fails there is nobody to tell
}

// regionFields are the parameters that say a region.
var regionFields = []string{"region", "entity", "scope", "kind", "category", "lane"}

// regionIn reads the region of a query; one in text may have a clock besides, which a log can answer.
func regionIn(q map[string]string) (region.Region, error) {
	of := make(url.Values)
	for _, name := range regionFields {
		if value, there := q[name]; there {
			of.Set(name, value)
		}
	}
	regions, err := sse.Query(&http.Request{URL: &url.URL{RawQuery: of.Encode()}})
	if errors.Is(err, core.ErrLiveClock) {
		return region.Parse(q["region"])
	}
	if err != nil {
		return region.Region{}, err
	}
	return regions[0], nil
}

// shortID is the log's identity in places, as adapters/sse has it.
func (s *Server) shortID() string {
	id := s.o.Log.ID()
	return hex.EncodeToString(id[len(id)-4:])
}

func (s *Server) place(sequence uint64) string {
	return s.shortID() + "-" + strconv.FormatUint(sequence, 10)
}

// placeIn reads where to begin: start, the first that is kept, also where nothing is said; end; a sequence; or a place of this log.
func (s *Server) placeIn(text string, b cursor.Bounds) (uint64, *problem.Problem) {
	switch text {
	case "", "start":
		return b.First, nil
	case "end":
		return b.Next, nil
	}
	log, number, found := strings.Cut(text, "-")
	if !found {
		log, number = s.shortID(), text
	}
	from, err := strconv.ParseUint(number, 10, 64)
	switch {
	case err != nil || len(log) != 8 || strings.Trim(log, "0123456789abcdef") != "" || strconv.FormatUint(from, 10) != number:
		return 0, problem.New(http.StatusBadRequest, "place", "The place %.40q is none of start, end, a sequence, or an event's id such as %s.", text, s.place(41))
	case log != s.shortID():
		return 0, problem.New(http.StatusGone, "replaced", "The place is in the log %s, and this is %s. Begin anew.", log, s.shortID())
	}
	return from, nil
}

// page reads a page.
func (s *Server) page(r *http.Request, of region.Region, from uint64, limit int) (page []byte, next uint64, err error) {
	events := make([]core.Envelope, min(limit, 256))
	next = from
	for range pageReads {
		n, at, err := s.o.Log.Read(r.Context(), of, next, events[:min(limit, len(events))])
		if err != nil {
			return nil, 0, err
		}
		for i := range events[:n] {
			if page, err = sse.AppendJSON(page, events[i]); err != nil {
				return nil, 0, err
			}
			page = append(page, '\n')
			if len(page) >= pageBytes && i < n-1 {
				return page, events[i].Sequence + 1, nil
			}
		}
		limit -= n
		if limit == 0 || at == next || len(page) >= pageBytes {
			return page, at, nil
		}
		next = at
	}
	return page, next, nil
}

// unread says why the log can't be read.
func unread(err error) *problem.Problem {
	if compacted, ok := errors.AsType[*cursor.CompactedError](err); ok {
		p := problem.New(http.StatusGone, "compacted", "Sequence %d was dropped. The first that is left is %d.", compacted.From, compacted.First)
		p.Left = &compacted.First
		return p
	}
	if beyond, ok := errors.AsType[*cursor.BeyondError](err); ok {
		p := problem.New(http.StatusGone, "beyond",
			"Sequence %d is beyond the log's end, which is %d: it has lost its end, or the place is another log's. Begin anew.", beyond.From, beyond.Next)
		p.Next = &beyond.Next
		return p
	}
	if errors.Is(err, cursor.ErrClosed) {
		return problem.New(http.StatusServiceUnavailable, "stopping", "The server is stopping. Ask when it has started again.").After(retry)
	}
	return problem.New(http.StatusServiceUnavailable, "log", "The log can't be read. Try again; spillway log verify says what is wrong with it.").After(retry)
}
