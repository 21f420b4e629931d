// Package server is spillway serve: a log and its fan-out over HTTP.
//
//	s, err := server.New(listener.Addr(), server.Options{Log: log, Hosts: []string{"localhost"}})
//	go s.Serve(listener)
//	err = s.Shutdown(ctx) // closes the log
//
// openapi.json says what each route takes and answers; a test holds it against the running server. A request goes, in this order, through:
//
//   - its Host, which must be the server's, then its Origin (host.go)
//   - its client's rate (clients.go)
//   - what its token or its cookie permits (tokens.go, session.go, access.go)
//   - its route (routes.go), each in a file of its noun
//
// Whatever a client can use up has a bound, in Bounds. Refusals are application/problem+json.
package server
