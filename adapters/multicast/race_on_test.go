//go:build race

package multicast_test

const raceEnabled = true
