//go:build race

package disklog_test

// raceOn: the engine checks itself then, and is a hundred times as slow.
const raceOn = true
