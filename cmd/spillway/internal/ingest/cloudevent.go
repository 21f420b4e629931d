package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A cloudEvent is one of CloudEvents 1.0. Where an event is in Spillway comes from its extension attributes entity, scope, kind, lane, depth,
// correlation, causation and expect. Without them the entity is the subject, or the type where there is none, the scope is the
// source, and the kind plain data; names are escaped where they have to be. The event id is made of source and id, which
// together name a CloudEvent for good.
type cloudEvent struct {
	required   [len(requiredNames)]string
	optional   [len(optionalNames)]string
	extensions map[string]string // JSON texts: a string, a whole number, a boolean
	data       []byte            // a JSON text, or a string in base64; nil: none
	isBase64   bool
}

// The attributes in the order in which they are written.
var (
	requiredNames = [...]string{"specversion", "id", "source", "type"}
	optionalNames = [...]string{"datacontenttype", "dataschema", "subject", "time"}
)

// Where some of them are.
const (
	version, identifier, source, typ = 0, 1, 2, 3
	contentType, subject, timestamp  = 0, 2, 3
)

// place are the extension attributes that say where the event is.
func (c *cloudEvent) place(e *event) map[string]func([]byte) error {
	expect := func(raw []byte) error {
		e.expect = new(uint32)
		return toNumber(e.expect, 32)(raw)
	}
	return map[string]func([]byte) error{
		"entity": toString(&e.entity), "scope": toString(&e.scope), "kind": toString(&e.kind),
		"correlation": toString(&e.correlation), "causation": toString(&e.causation),
		"lane": bare(toNumber(&e.lane, 32)), "depth": bare(toNumber(&e.depth, 32)), "expect": bare(expect),
	}
}

// bare reads a number that may stand in quotes, as it does where it was a header.
func bare(read func([]byte) error) func([]byte) error {
	return func(raw []byte) error { return read(bytes.Trim(raw, `"`)) }
}

// parseCloudEvent reads one in the JSON format.
func parseCloudEvent(data []byte, l Limits) (cursor.Draft, error) {
	c := cloudEvent{extensions: make(map[string]string)}
	readers := make(map[string]func([]byte) error)
	for i, name := range requiredNames {
		readers[name] = toString(&c.required[i])
	}
	for i, name := range optionalNames {
		readers[name] = toString(&c.optional[i])
	}
	setData := func(data []byte, base64 bool) error {
		if c.data != nil {
			return errors.New("data and data_base64 are both there")
		}
		c.data, c.isBase64 = data, base64
		return nil
	}
	readers["data"] = func(raw []byte) error { return setData(raw, false) }
	readers["data_base64"] = func(raw []byte) error {
		data, err := fromBase64(raw)
		if err != nil {
			return err
		}
		return setData(quoteBase64(data), true)
	}
	if err := fields(data, l.Nesting, readers, c.extend); err != nil {
		return cursor.Draft{}, notJSON(err)
	}
	return c.draft(l)
}

func quoteBase64(data []byte) []byte {
	return strconv.AppendQuote(nil, base64.StdEncoding.EncodeToString(data))
}

// extend takes an extension attribute.
func (c *cloudEvent) extend(name string, raw []byte) error {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" || len(name) > 64 {
		return fmt.Errorf("the attribute %.70q: want a name of a to z and 0 to 9", name)
	}
	switch raw[0] {
	case '"':
		value, err := unquote(raw)
		if err != nil {
			return err
		}
		raw = quote(value)
	case 'n':
		return nil
	case '{', '[':
		return fmt.Errorf("the attribute %q: want a string, a whole number or a boolean", name)
	case 't', 'f':
	default:
		if _, err := strconv.ParseInt(string(raw), 10, 32); err != nil {
			return fmt.Errorf("the attribute %q: want a whole number of 32 bits", name)
		}
	}
	c.extensions[name] = string(raw)
	return nil
}

// quote returns a string as JSON.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can't fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// draft returns the Draft that it is.
func (c *cloudEvent) draft(l Limits) (d cursor.Draft, err error) {
	if err := c.check(); err != nil {
		return d, err
	}
	e := event{kind: region.KindData.String()}
	place := c.place(&e)
	for name, raw := range c.extensions {
		if read := place[name]; read != nil {
			if err := read([]byte(raw)); err != nil {
				return d, invalid("attribute", "The attribute %q: %v.", name, err)
			}
		}
	}
	if e.entity == "" {
		if e.entity = c.optional[subject]; e.entity == "" {
			e.entity = c.required[typ]
		}
		e.entity = region.Escape(e.entity)
	}
	if e.scope == "" {
		e.scope = region.Escape(c.required[source])
	}
	if text := c.optional[timestamp]; text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.UnixMilli() < 0 {
			return d, invalid("attribute", "The attribute \"time\" is %.40q; want a time since 1970 as RFC 3339 has it.", text)
		}
		e.time = uint64(at.UnixMilli())
	}
	e.payload = c.bytes()
	if d, err = e.draft(l); err != nil {
		return d, err
	}
	d.EventID = c.id()
	return d, nil
}

// check looks at what CloudEvents asks of attributes.
func (c *cloudEvent) check() error {
	for i, name := range requiredNames {
		if c.required[i] == "" {
			return invalid("missing", "The attribute %q is missing or empty. A CloudEvent needs specversion, id, source and type.", name)
		}
	}
	if v := c.required[version]; v != "1.0" {
		return invalid("version", "The attribute \"specversion\" is %.20q. Send a CloudEvent of version 1.0.", v)
	}
	for _, value := range append(c.required[:], c.optional[:]...) {
		if strings.ContainsFunc(value, unicode.IsControl) {
			return invalid("attribute", "The attribute value %.60q holds a control character.", value)
		}
	}
	return nil
}

// id returns the event's id.
func (c *cloudEvent) id() (id core.ID) {
	h := sha256.New()
	for _, part := range []string{"cloudevent", c.required[source], c.required[identifier]} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	copy(id[:], h.Sum(nil))
	return id
}

// bytes returns the event in the JSON format: the same for the same event, in whatever way it came.
func (c *cloudEvent) bytes() []byte {
	b := []byte("{")
	field := func(name string, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, name), ':')
		b = append(b, value...)
	}
	for i, name := range requiredNames {
		field(name, quote(c.required[i]))
	}
	for i, name := range optionalNames {
		if c.optional[i] != "" {
			field(name, quote(c.optional[i]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.extensions)) {
		field(name, []byte(c.extensions[name]))
	}
	switch {
	case c.isBase64:
		field("data_base64", c.data)
	case c.data != nil:
		field("data", oneLine(c.data))
	}
	return append(b, '}')
}

// oneLine returns JSON without line breaks: they stand between its parts only.
func oneLine(raw []byte) []byte {
	if !bytes.ContainsAny(raw, "\r\n") {
		return raw
	}
	var b bytes.Buffer
	_ = json.Compact(&b, raw) // it was read before
	return b.Bytes()
}

// isBinary tells whether a request is a CloudEvent in binary mode: its attributes are headers.
func isBinary(h http.Header) bool { return h.Get("Ce-Specversion") != "" }

// binaryEvent reads one whose attributes are headers, and whose data is the body.
func binaryEvent(h http.Header, body []byte, l Limits) (cursor.Draft, error) {
	c := cloudEvent{extensions: make(map[string]string)}
	known := make(map[string]*string)
	for i, name := range requiredNames {
		known[name] = &c.required[i]
	}
	for i, name := range optionalNames {
		known[name] = &c.optional[i]
	}
	for key, values := range h {
		name, ok := strings.CutPrefix(key, "Ce-")
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		if len(values) > 1 {
			return cursor.Draft{}, problem.New(http.StatusBadRequest, "header", "The header ce-%.60s is there twice.", name)
		}
		value, err := headerValue(values[0])
		if err != nil {
			return cursor.Draft{}, problem.New(http.StatusBadRequest, "header", "The header ce-%.60s %v.", name, err)
		}
		if to := known[name]; to != nil && name != "datacontenttype" {
			*to = value
		} else if err := c.extend(name, quote(value)); err != nil || name == "data" || name == "datacontenttype" {
			return cursor.Draft{}, problem.New(http.StatusBadRequest, "header", "The header ce-%.60s is no attribute's.", name)
		}
	}
	c.optional[contentType] = h.Get("Content-Type")
	if err := c.setBody(body, l); err != nil {
		return cursor.Draft{}, notJSON(err)
	}
	return c.draft(l)
}

// setBody has the data be a body: as JSON where it is, as text where it is that, and else in base64.
func (c *cloudEvent) setBody(body []byte, l Limits) error {
	if len(body) == 0 {
		return nil
	}
	t, err := newText(body, l.Nesting-1) // in an event, it is one level down
	if err != nil {
		c.data, c.isBase64 = quoteBase64(body), true
		return nil
	}
	declared := isJSON(c.optional[contentType])
	if declared || c.optional[contentType] == "" {
		raw, err := t.value()
		if err == nil {
			err = t.end()
		}
		if err == nil || declared {
			c.data = raw
			return err
		}
	}
	c.data = quote(string(body))
	return nil
}
