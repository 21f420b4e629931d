package ingest

import (
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/region"
)

// mediaType returns what a Content-Type is, in lower case and without parameters; "" where it is none.
func mediaType(contentType string) string {
	m, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return m
}

// isJSON tells whether a Content-Type is JSON's.
func isJSON(contentType string) bool {
	m := mediaType(contentType)
	return m == "application/json" || m == "text/json" || strings.HasSuffix(m, "+json")
}

// headerValue returns what the header of an attribute says: CloudEvents has text percent-encoded there, or in quotes.
func headerValue(s string) (string, error) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		var b strings.Builder
		for i := 1; i < len(s)-1; i++ {
			if s[i] == '\\' && i+1 < len(s)-1 {
				i++
			}
			b.WriteByte(s[i])
		}
		s = b.String()
	}
	// A percent sign that encodes nothing stands for itself: the official SDK for Go encodes none.
	var b strings.Builder
	for s != "" {
		if len(s) >= 3 && s[0] == '%' {
			if c, err := region.Unescape(s[:3]); err == nil {
				b.WriteString(c)
				s = s[3:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	s = b.String()
	if !utf8.ValidString(s) {
		return "", errors.New("is not UTF-8")
	}
	return s, nil
}
