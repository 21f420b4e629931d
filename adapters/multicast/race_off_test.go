//go:build !race

package multicast_test

const raceEnabled = false
