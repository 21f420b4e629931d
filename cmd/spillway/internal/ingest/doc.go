// Package ingest reads events from the body of an HTTP request: JSON, an object, an array or one a line, or CloudEvents, structured, binary
// or batched.
//
//	events, err := ingest.NewReader(r.Header, body, limits)
//	for draft, err := range events.All() {
//
// JSON is read strictly: field names are exact, one of each and none that is not known; text is UTF-8, without
// halves of surrogate pairs; nesting has a bound. What encoding/json would mend is refused, since two events could become one by it.
//
// A payload that is a string is its text, any other its JSON, as in spillway replay. That of a CloudEvent is the event itself, as JSON in
// one form, so that none of its attributes is lost.
package ingest
