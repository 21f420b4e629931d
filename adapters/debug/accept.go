package debug

import (
	"mime"
	"strconv"
	"strings"
)

// prefersJSON tells whether an Accept header gives application/json a greater weight than text/html (RFC 9110,
// 12.5.1). What it doesn't name at all, and nonsense, has none.
func prefersJSON(accept string) bool {
	var json, html weight
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		json.hear(q, media, "application/json", "application/*")
		html.hear(q, media, "text/html", "text/*")
	}
	return json.q > html.q
}

// A weight is what a header gives one media type: the most specific range that fits says it.
type weight struct {
	q        float64
	specific int
}

func (w *weight) hear(q float64, media, exact, group string) {
	specific := 0
	switch media {
	case exact:
		specific = 3
	case group:
		specific = 2
	case "*/*":
		specific = 1
	}
	if specific > w.specific {
		*w = weight{q, specific}
	}
}
