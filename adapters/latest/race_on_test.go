//go:build race

package latest_test

const raceEnabled = true
