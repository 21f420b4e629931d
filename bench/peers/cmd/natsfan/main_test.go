package main

import (
	"testing"

	"github.com/spillwayhq/spillway/bench/peers/cmd/internal/both/bothtest"
)

func TestFan(t *testing.T) { bothtest.Run(t, peer) }
