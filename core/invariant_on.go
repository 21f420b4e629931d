//go:build race || spillway_invariants

package core

// invariants turns on checks that are too dear for production.
const invariants = true
