package core

import (
	"fmt"
	"runtime"
	"strings"
)

// A site is where a Subscribe was called from: up to four callers, kept as program counters and
// resolved when someone asks. Subscriptions from one place share one site.
type site [4]uintptr

// sites numbers the sites of a Fanout. It grows with the program's text, not with its subscriptions.
type sites struct {
	all    []site
	number map[site]uint32
}

// callers returns the site of the caller of Subscribe.
func callers() (s site) {
	runtime.Callers(3, s[:]) // runtime.Callers, callers, Subscribe
	return s
}

func (t *sites) intern(s site) uint32 {
	n, ok := t.number[s]
	if !ok {
		if t.number == nil {
			t.number = make(map[site]uint32)
		}
		n = uint32(len(t.all))
		t.all = append(t.all, s)
		t.number[s] = n
	}
	return n
}

// String returns file:line of the first caller outside this module's library packages, or of the
// outermost known where all are inside.
func (s site) String() string {
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	if n == 0 {
		return ""
	}
	frames := runtime.CallersFrames(s[:n])
	for {
		frame, more := frames.Next()
		if !more || !own(frame.Function) {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

const module = "github.com/spillwayhq/spillway/"

// own tells whether a function belongs to a package that subscribes on a user's behalf.
func own(function string) bool {
	path, ok := strings.CutPrefix(function, module)
	if !ok {
		return false
	}
	slash := strings.LastIndexByte(path, '/') + 1
	if dot := strings.IndexByte(path[slash:], '.'); dot >= 0 {
		path = path[:slash+dot]
	}
	if strings.HasSuffix(path, "_test") {
		return false
	}
	top, _, _ := strings.Cut(path, "/")
	return top == "core" || top == "adapters" || top == "cursor"
}
