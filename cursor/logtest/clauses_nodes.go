package logtest

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// checkNodes: what several nodes append is one Log, for each of them, under one count of each entity; and the hybrid logical
// clocks are in the order that Limits states.
func checkNodes(t *trial) error {
	if t.Join == nil {
		return nil // the Log is one node's
	}
	other, err := t.Join()
	if err != nil {
		return fmt.Errorf("joining it: %w", err)
	}
	defer func() { _ = other.Close() }()
	if other.ID() != t.Log.ID() || other.Limits() != t.Log.Limits() {
		return errors.New("another node sees another ID, or other Limits")
	}
	both := [2]cursor.Log{t.Log, other}
	defer func() { t.Log = both[0] }()
	var nodes []int // by sequence: whose it is
	for i := range 20 {
		node := i % 2
		t.Log = both[node]
		woken := (&trial{Subject: Subject{Log: both[1-node]}, ctx: t.ctx}).waiting(t.ctx, uint64(len(t.events)))
		if i%3 == 0 {
			lieDown()
		}
		made, err := t.batch(expecting(uint32(i)), about(fmt.Sprint("of:", node)))
		if err != nil {
			return fmt.Errorf("batch %d, by the other node than the last: %w", i, err)
		}
		nodes = append(nodes, node, node)
		t.Log = both[1-node]
		if err := answer(woken, nil); err != nil {
			return fmt.Errorf("a Wait for what another node appends: %w", err)
		}
		d := cursor.Draft{EventID: made[1].EventID, Coordinate: made[1].Coordinate, Kind: kind}
		again, err := t.batch(d)
		if err == nil {
			err = alike(again, made[1:])
		}
		if err != nil {
			return fmt.Errorf("another node's event, appended again: %w", err)
		}
	}
	for i, log := range both {
		t.Log = log
		for _, r := range []region.Region{{}, {Entity: "alice"}, {Entity: "of:0"}} {
			if err := t.holds(r, 0, 7); err != nil {
				return fmt.Errorf("node %d: %w", i, err)
			}
		}
	}
	if err := ordered(t.events, nodes, t.Log.Limits().Clocks); err != nil {
		return err
	}
	return t.parts(both)
}

// ordered looks whether the hybrid logical clocks go forward, in the whole Log or for each node.
func ordered(es []core.Envelope, nodes []int, order cursor.ClockOrder) error {
	last := make(map[int]int)
	for i := range es {
		key := nodes[i]
		if order == cursor.TotalOrder {
			key = 0
		}
		if before, ok := last[key]; ok {
			if err := later(es[before], es[i]); err != nil {
				return fmt.Errorf("the order of clocks is %s: %w", order, err)
			}
		}
		last[key] = i
	}
	return nil
}

// parts has the other node leave: the Log goes on.
func (t *trial) parts(both [2]cursor.Log) error {
	if err := both[1].Close(); err != nil {
		return fmt.Errorf("closing it as one node: %w", err)
	}
	if _, err := both[1].Bounds(t.ctx); !errors.Is(err, cursor.ErrClosed) {
		return fmt.Errorf("the node that closed it gets %s; want ErrClosed", said(err))
	}
	t.Log = both[0]
	if _, err := t.batch(about("alice")); err != nil {
		return fmt.Errorf("when another node has closed it: %w", err)
	}
	return t.holds(region.Region{}, 0, 100)
}
