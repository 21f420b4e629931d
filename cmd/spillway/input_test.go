package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// Standard input may say nothing for ever: Ctrl-C ends the reading of it all the same.
func TestReadAllOfSilentInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, says := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		_, err := readAll(ctx, func() (input, error) {
			s, err := openSource("-", in)
			return &lineInput{source: s, format: "auto"}, err
		}, false, io.Discard)
		if took := time.Since(start); !errors.Is(err, errInterrupted) || took != time.Minute+grace {
			t.Errorf("got %v after %v", err, took)
		}
		if err := says.Close(); err != nil { // and the goroutine left behind ends
			t.Error(err)
		}
	})
}

// What was read before Ctrl-C is kept, if the input answers.
func TestReadAllInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in := &scripted{next3: cancel}
	events, err := readAll(ctx, func() (input, error) { return in, nil }, false, io.Discard)
	if !errors.Is(err, errInterrupted) || len(events) != 3 || events[2].Sequence != 2 || !in.closed {
		t.Errorf("got %d events, %v, closed %v", len(events), err, in.closed)
	}
}

// scripted gives events without end, and calls next3 with the third.
type scripted struct {
	given  int
	next3  func()
	closed bool
}

func (s *scripted) next() (*core.Envelope, error) {
	if s.given++; s.given == 3 {
		s.next3()
	}
	return new(core.Envelope), nil
}

func (s *scripted) close() error {
	s.closed = true
	return nil
}

// --skip-bad names the first bad events, and counts them all.
func TestSkippedAreNamedAndCounted(t *testing.T) {
	text := strings.Repeat("{\n", 50) + `{"entity":"a","scope":"s","kind":"0x1:0x001"}`
	var warned strings.Builder
	events, err := readAll(t.Context(), func() (input, error) {
		s, err := openSource("-", strings.NewReader(text))
		return &lineInput{source: s, format: "auto"}, err
	}, true, &warned)
	if err != nil || len(events) != 1 {
		t.Fatalf("got %d events, %v", len(events), err)
	}
	says := warned.String()
	if !strings.Contains(says, "standard input:1: not a JSON object") || !strings.Contains(says, "skipped 50 bad events in all") ||
		strings.Count(says, "\n") != namedAtMost+1 {
		t.Errorf("got %s", says)
	}
}

// A git that hangs is killed and waited for, whether its log is closed or the program is interrupted.
func TestGitIsEnded(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the git that hangs is a shell script")
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g, err := openGitLog(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.close(); err != nil || g.command.ProcessState == nil {
		t.Errorf("close: %v, ended: %v", err, g.command.ProcessState)
	}
	var second *gitLog
	events, err := readAll(ctx, func() (input, error) {
		defer cancel()
		second, err = openGitLog(ctx, t.TempDir())
		return second, err
	}, false, io.Discard)
	if !errors.Is(err, errInterrupted) || len(events) != 0 || second.command.ProcessState == nil {
		t.Errorf("got %v", err)
	}
}

// A line says half of a pair exactly when encoding/json would put another character in its place.
func TestHalfPair(t *testing.T) {
	parts := []string{"", `\ud83d`, `\uDE00`, `\\`, `x`, `\u0041`, `\n`, `ud83d`}
	for n := range len(parts) * len(parts) * len(parts) * len(parts) {
		line := `"`
		for range 4 {
			line += parts[n%len(parts)]
			n /= len(parts)
		}
		line += `"`
		var text string
		if err := json.Unmarshal([]byte(line), &text); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got, want := halfPair([]byte(line)), strings.ContainsRune(text, '\uFFFD'); got != want {
			t.Errorf("%s: got %v, want %v", line, got, want)
		}
	}
	for _, line := range []string{"", `\`, `\u`, `\ud83`, `"\u0000"`, `\uzzzz`} {
		if halfPair([]byte(line)) {
			t.Errorf("%s: got true, want false", line)
		}
	}
}
