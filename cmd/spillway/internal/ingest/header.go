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
	s, err := region.Unescape(s)
	if err != nil {
		return "", errors.New("has a percent sign that is not the beginning of two hexadecimal digits; write it %25")
	}
	if !utf8.ValidString(s) {
		return "", errors.New("is not UTF-8")
	}
	return s, nil
}
