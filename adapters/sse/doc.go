// Package sse streams a Fanout's events over HTTP as server-sent events, which a browser's EventSource reads as it is:
//
//	h, err := sse.NewHandler(sse.Options{Fanout: fanout, Log: log})
//	http.Handle("GET /v1/events", h)
//
// A request says which Regions it wants, several of which become one stream with each event once: [Query]. Each event of a log has an id,
//
//	id: 3f2a91bc-41
//	data: {"sequence":41,"id":"…","entity":"alice:cart","scope":"shop", …}
//
// which is the log's identity and the event's sequence, and a client that comes back says the last one that it has seen, as an
// EventSource does by itself. A Handler promises:
//
//   - Who comes back with an id gets every event behind it, once and in order. What retention has dropped meanwhile is said in
//     its place, before what is left: [EventGap].
//   - An id of another log, or of an event that the log doesn't have, is answered 410. What is no id is answered 400.
//     Nothing is an accidental replay of everything.
//   - Ids are places of the log: of its events, and of what the stream says of itself, so that who has seen no event yet, or none for long,
//     comes back to where it was. No byte of a name or a payload becomes a field of its own, or a second event.
//   - A client that reads nothing holds up no other: its stream ends when a write has taken WriteTimeout. In the meantime at most Buffer
//     events wait for it.
//   - Streams are bounded, in all and for each client, and so are the reads of the log that they make at one time.
//   - After Shutdown each stream ends with where to resume: [EventEnd].
//
// Where a request asks to begin is, the first of these that is there: the header Last-Event-ID, last_event_id= and from= in the
// query. The first two name an event that the client has. from= names one that it does not have, or is "start" or "end". Each is an id or a
// sequence alone. Nothing is the end. The response's header Spillway-From says where the stream begins: a client
// that loses the connection before its first event gives that as from=.
//
// Without a log there are no ids. A stream then has what is broadcast while it lives, and its end says what it has missed first.
//
// [Follow] is the client.
//
// The caller puts no middleware between that compresses or buffers, and no http.Server.WriteTimeout is needed: a stream sets its
// deadlines itself, write by write.
package sse
