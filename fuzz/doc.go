// Package fuzz holds the fuzz targets, one a file, and the Model that one of them plays against.
//
// No target is content that nothing panics: each compares what it tests with a second opinion (a plain
// model, a linear scan, a regular expression, the standard library) or takes a value there and back again.
// The adapters' targets drive them through a Fanout, with several writers at the same time; the properties beside the
// code (rapid) do one thing after the other, from numbers near their limit on.
//
// Every input that was ever found to break one is kept under testdata/fuzz, where go test runs it.
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzNames$' -fuzztime 1m
package fuzz
