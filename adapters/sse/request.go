package sse

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/region"
)

const mediaType = "text/event-stream"

// setHeaders is what every stream begins with: that nobody in between keeps it back, keeps it, or compresses it.
func setHeaders(header http.Header) {
	header.Set("Content-Type", mediaType)
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	header.Set("X-Content-Type-Options", "nosniff")
}

// wellFormed tells why a request is none for a stream; nil where it is.
func wellFormed(r *http.Request) *problem {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return newProblem(http.StatusMethodNotAllowed, "method", "A stream is got", "use GET; events are appended elsewhere")
	}
	if !accepts(r.Header.Values("Accept")) {
		return newProblem(http.StatusNotAcceptable, "accept", "There is nothing but a stream",
			"what there is is "+mediaType+", which the header Accept doesn't allow")
	}
	return nil
}

// accepts tells whether the Accept headers allow a stream. None at all allows anything. The most specific range that fits says it
// (RFC 9110, 12.5.1).
func accepts(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	specific, allowed := 0, false
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		how := 1 + slices.Index([]string{"*/*", "text/*", mediaType}, media)
		if how <= specific {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		specific, allowed = how, q > 0
	}
	return allowed
}

// bounded returns the Regions as they are streamed, or why they are too many.
func (h *Handler) bounded(regions []region.Region) ([]region.Region, *problem) {
	if len(regions) > h.o.Regions {
		return nil, newProblem(http.StatusBadRequest, "regions", "Too many regions",
			fmt.Sprintf("%d regions are asked for, and a stream has %d at most; open another, or ask for a wider one", len(regions), h.o.Regions))
	}
	for _, r := range regions {
		if err := r.Validate(); err != nil {
			return nil, newProblem(http.StatusBadRequest, "region", "The region can't be read", err.Error())
		}
		if r == (region.Region{}) {
			return []region.Region{r}, nil // the others are a part of it
		}
	}
	return regions, nil
}

// carries tells why a response can't carry a stream; nil where it can. A middleware that hides how to flush, or how to set a
// deadline, would have the client wait for ever, or the stream for the client: that is to be seen at once.
func (h *Handler) carries(w http.ResponseWriter, r *http.Request) *problem {
	why := ""
	control := http.NewResponseController(w)
	switch {
	case w.Header().Get("Content-Encoding") != "":
		why = "something before it compresses the response"
	case !flushes(w):
		why = "something before it hides Flush from the stream: give its http.ResponseWriter an Unwrap"
	case control.SetWriteDeadline(time.Time{}) != nil:
		why = "something before it hides SetWriteDeadline from the stream: give its http.ResponseWriter an Unwrap"
	}
	if why != "" {
		h.o.Logger.ErrorContext(r.Context(), "spillway/sse: a stream can't begin", "why", why)
		return newProblem(http.StatusInternalServerError, "carriage", "This server can't stream", why)
	}
	_ = control.SetReadDeadline(time.Time{}) // http.Server.ReadTimeout would end the stream, where there is one
	return nil
}

// flushes tells what http.ResponseController.Flush would find, without a flush, which can't be taken back.
func flushes(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case interface{ FlushError() error }, http.Flusher:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}
