package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// A siege is clients who send a byte a second, and come back when they are cut off, until end.
type siege struct {
	addr string
	stop context.CancelFunc
	all  sync.WaitGroup

	mu    sync.Mutex // of these
	fates fates
	here  int           // who has been let in, or refused, once
	want  int           // how many that are to be
	ready chan struct{} // closed when they all are
}

// fates are what became of slow clients.
type fates struct{ came, cut, refused int }

func (f *fates) add(o fates) {
	f.came += o.came
	f.cut += o.cut
	f.refused += o.refused
}

// besiege has so many come, from so many addresses: half never end a header, half never a body.
func besiege(ctx context.Context, addr string, n, addresses int) *siege {
	ctx, stop := context.WithCancel(ctx)
	b := &siege{addr: addr, stop: stop, want: n, ready: make(chan struct{})}
	for i := range n {
		from := fmt.Sprintf("127.0.0.%d", firstSlow+i/2%addresses)
		b.all.Go(func() {
			for here := false; ctx.Err() == nil; {
				here = b.come(ctx, from, i%2 == 0, !here) || here
			}
		})
	}
	return b
}

const firstSlow = 2 // the last number of the address that slow clients come from, or the first of several

// await returns when each has come.
func (b *siege) await(ctx context.Context) error {
	select {
	case <-b.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(30 * time.Second):
		return errors.New("the slow clients have not come within 30 s")
	}
}

// end has them go, and returns what became of them.
func (b *siege) end() fates {
	b.stop()
	b.all.Wait()
	return b.fates
}

// come is one connection, until it is cut off, refused, or nobody wants it any more. It tells whether there was one.
func (b *siege) come(ctx context.Context, from string, header, first bool) (here bool) {
	conn, err := dialing{from: from}.dial(ctx, b.addr)
	if err != nil {
		_ = sleep(ctx, beat) // it tries again; who has none in time is told by await
		return false
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	begin := fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n[", b.addr)
	if header {
		begin = fmt.Sprintf("GET /v1/events HTTP/1.1\r\nHost: %s\r\nX-Slow: ", b.addr)
	}
	if _, err := conn.Write([]byte(begin)); err != nil {
		return false
	}
	b.count(func(f *fates) { f.came++ }, first)
	answer := make([]byte, 64)
	for ctx.Err() == nil {
		if err := conn.SetReadDeadline(time.Now().Add(beat)); err != nil {
			return true
		}
		n, err := conn.Read(answer)
		switch {
		case ctx.Err() != nil:
			return true
		case n > 0:
			b.count(func(f *fates) {
				if strings.Contains(string(answer[:n]), " 408 ") { // it took too long
					f.cut++
				} else {
					f.refused++
				}
			}, false)
			_ = sleep(ctx, beat)
			return true
		case !quiet(err):
			b.count(func(f *fates) { f.cut++ }, false)
			return true
		}
		if _, err := conn.Write([]byte{' '}); err != nil {
			b.count(func(f *fates) { f.cut++ }, false)
			return true
		}
	}
	return true
}

// beat is how long a slow client takes for a byte.
const beat = time.Second

// quiet tells whether nothing came in time.
func quiet(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
}

func (b *siege) count(what func(*fates), first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	what(&b.fates)
	if first {
		if b.here++; b.here == b.want {
			close(b.ready)
		}
	}
}
