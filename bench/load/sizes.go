package main

import (
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// sizes are how much each part does.
type sizes struct {
	crowd    crowdSize
	steady   steadySize
	restarts restartsSize
	slow     slowSize
	peers    fan.Work

	untimed bool // times are shown, and not asserted: tests are so
}

var full = sizes{
	crowd:    crowdSize{clients: 9000, groups: 100, rate: 100, pairs: 6, phase: 6 * time.Second},
	steady:   steadySize{clients: 200, stay: 4 * time.Second, rate: 100, batch: 10, long: 10 * time.Minute, every: time.Second, keep: 20_000},
	restarts: restartsSize{restarts: 200, clients: 16, batch: 20, between: 30},
	slow:     slowSize{clients: 200, groups: 10, rate: 100, slow: 300, pairs: 3, phase: 12 * time.Second},
	peers:    fan.Work{Clients: 1000, Bytes: 200, Rate: 20, Paced: 20 * time.Second, Block: 50, Fast: 20 * time.Second},
}

var brief = sizes{
	crowd:    crowdSize{clients: 1000, groups: 100, rate: 100, pairs: 1, phase: 2 * time.Second},
	steady:   steadySize{clients: 50, stay: 2 * time.Second, rate: 100, batch: 10, long: 30 * time.Second, every: 250 * time.Millisecond, keep: 2_000},
	restarts: restartsSize{restarts: 10, clients: 8, batch: 20, between: 20},
	slow:     slowSize{clients: 100, groups: 10, rate: 100, slow: 200, pairs: 1, phase: 2 * time.Second},
	peers:    fan.Work{Clients: 200, Bytes: 200, Rate: 20, Paced: time.Second, Block: 50, Fast: time.Second},
}
