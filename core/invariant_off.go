//go:build !race && !spillway_invariants

package core

const invariants = false
