package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// openLog opens the Log that is in a folder.
func openLog(dir string, o disklog.Options, warn io.Writer) (*disklog.Log, error) {
	o.MustExist = true
	log, err := openFolder(dir, o, warn)
	if errors.Is(err, disklog.ErrNoLog) {
		return nil, fmt.Errorf("%s: there is no log; spillway replay --log %[1]s makes one", dir)
	}
	return log, err
}

// openFolder opens the Log in a folder, or begins one there. Whoever opens it to write is the last to hear that it may have lost its end, and
// is told so on warn.
func openFolder(dir string, o disklog.Options, warn io.Writer) (*disklog.Log, error) {
	log, err := disklog.Open(dir, o)
	if errors.Is(err, disklog.ErrLocked) {
		return nil, fmt.Errorf("%s: somebody has the log open, and one process at a time may: %w", dir, disklog.ErrLocked)
	}
	if err == nil && !o.ReadOnly && log.Stats().Opened.MayLack {
		fmt.Fprintf(warn, "spillway: %s: %s\n", dir, mayLack)
	}
	return log, err
}

// closeLog closes a Log; err is what went wrong before, if anything did.
func closeLog(log cursor.Log, err error) error {
	if cerr := log.Close(); err == nil {
		err = cerr
	}
	return err
}

// emptyFolder tells whether there is nothing in a folder, or no such folder.
func emptyFolder(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}

// parseSync returns what --sync says: when what is appended is on the disk.
func parseSync(s string) (cursor.Level, error) {
	switch s {
	case "each":
		return cursor.EachGroup(), nil
	case "none":
		return cursor.NoSync(), nil
	}
	every, err := time.ParseDuration(s)
	if err != nil || every <= 0 {
		return cursor.Level{}, fmt.Errorf("--sync %q is none of each, none, or a time such as 10ms", s)
	}
	return cursor.Interval(every), nil
}
