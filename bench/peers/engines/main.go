// The program engines measures the storage engines that cursor/disklog could stand on, each used as its own documentation says,
// with events of 200 bytes: appends with an fsync each, reads of one entity in a thousand, retention, and recovery.
// docs/decisions/0011-the-engine-of-disklog.md has what it printed.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// An engine keeps events by sequence, and finds those of an entity.
type engine interface {
	append(first uint64, events [][]byte, sync bool) error
	region(entity uint32) (found int, err error)
	drop(below uint64) error
	close() error
}

const (
	size     = 200
	entities = 1000
)

// event returns the bytes of the event of a sequence. Its entity is in the first four.
func event(seq uint64) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, uint32(seq*7919%entities))
	for i := 4; i < size; i++ {
		b[i] = byte(seq*31 + uint64(i)*seq>>3)
	}
	return b
}

func entityOf(event []byte) uint32 { return binary.BigEndian.Uint32(event) }

func main() {
	events := flag.Int("events", 1_000_000, "how many `events` to read, drop and recover")
	dir := flag.String("dir", os.TempDir(), "the `folder` to work in, on the file system in question")
	only := flag.String("only", "", "the one `engine` to measure")
	flag.Parse()
	for _, e := range []struct {
		name string
		open func(dir string) (engine, error)
	}{
		{"pebble", openPebble},
		{"bbolt", openBolt},
		{"tidwall/wal", openWAL},
	} {
		if *only != "" && *only != e.name {
			continue
		}
		if err := measure(e.name, filepath.Join(*dir, "engines"), e.open, *events); err != nil {
			fmt.Fprintln(os.Stderr, e.name+":", err)
			os.Exit(1)
		}
	}
}

// measure prints a line for each thing that an engine does.
func measure(name, dir string, open func(string) (engine, error), events int) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is empty, or the next one says so
	e, err := open(dir)
	if err != nil {
		return err
	}
	next := uint64(0)
	add := func(n int, sync bool) error {
		batch := make([][]byte, n)
		for i := range batch {
			batch[i] = event(next + uint64(i))
		}
		err := e.append(next, batch, sync)
		next += uint64(n)
		return err
	}
	for _, n := range []int{1, 100, 1000} {
		start, done := time.Now(), 0
		for time.Since(start) < 2*time.Second {
			if err := add(n, true); err != nil {
				return err
			}
			done += n
		}
		fmt.Printf("%-12s append, %4d a batch, fsync: %8.0f events/s\n", name, n, float64(done)/time.Since(start).Seconds())
	}
	for next < uint64(events) {
		if err := add(1000, false); err != nil {
			return err
		}
	}
	if err := timed(name, fmt.Sprintf("recovery of %d", next), func() error {
		if err := e.close(); err != nil {
			return err
		}
		e, err = open(dir)
		return err
	}); err != nil {
		return err
	}
	if err := timed(name, "one entity of 1,000", func() error {
		n, err := e.region(7)
		if err == nil && uint64(n) < next/entities-1 {
			err = fmt.Errorf("found %d of %d", n, next/entities)
		}
		return err
	}); err != nil {
		return err
	}
	if err := timed(name, "dropping the first half", func() error { return e.drop(next / 2) }); err != nil {
		return err
	}
	return e.close()
}

func timed(name, what string, f func() error) error {
	start := time.Now()
	err := f()
	fmt.Printf("%-12s %s: %v\n", name, what, time.Since(start).Round(10*time.Microsecond))
	return err
}
