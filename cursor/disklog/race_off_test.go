//go:build !race

package disklog_test

const raceOn = false
