package sse

// AppendEvent and AppendNamed are the encoder, for whoever parses what it writes.
var (
	AppendEvent = appendEvent
	AppendNamed = appendNamed
	AppendPlace = appendPlace
)
