package ingest

// Limits are what a body may have at most. What is 0 is the default.
type Limits struct {
	Body    int64 // bytes of a body that is one document, after decompression: 4 MiB. A stream of lines may be as long as it likes
	Line    int   // bytes of one line: 4 MiB, as of a body: a payload's text has escapes, or is base64
	Events  int   // events of an array or a batch: 10,000
	Nesting int   // levels of arrays and objects, those of the event itself counted: 64
	Payload int   // bytes of one payload: 1 MiB
}

// WithDefaults returns the Limits with the defaults where they are 0.
func (l Limits) WithDefaults() Limits {
	if l.Body <= 0 {
		l.Body = 4 << 20
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Line, 4 << 20}, {&l.Events, 10_000}, {&l.Nesting, 64}, {&l.Payload, 1 << 20}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return l
}
