package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// check refuses what means nothing, or what would let strangers in.
func (o *serving) check() error {
	switch {
	case o.memory == (o.data != ""):
		return usagef("which log? give --data DIR, or --memory")
	case (o.cert == "") != (o.key == ""):
		return usagef("--tls-cert and --tls-key go together")
	case o.insecure && o.cert != "":
		return usagef("--insecure is to do without TLS, and --tls-cert is TLS")
	case o.logFormat != "text" && o.logFormat != "json":
		return usagef("--log-format %q is neither text nor json", o.logFormat)
	case o.grace < 0:
		return usagef("--grace %v is less than nothing", o.grace)
	case o.events < 0 || o.bytes < 0 || o.age < 0:
		return usagef("what is retained can't be less than nothing")
	}
	for name, value := range map[string]float64{
		"max-connections": float64(o.bounds.Connections), "max-streams": float64(o.bounds.Streams),
		"max-streams-per-client": float64(o.bounds.StreamsPerClient), "max-regions": float64(o.bounds.Regions), "max-shapes": float64(o.bounds.Shapes),
		"buffer": float64(o.bounds.Buffer), "max-ingests": float64(o.bounds.Ingests), "max-ingests-per-client": float64(o.bounds.IngestsPerClient),
		"max-rate": o.bounds.Rate, "max-body": float64(o.bounds.Ingest.Body), "max-line": float64(o.bounds.Ingest.Line),
		"max-entities": float64(o.entities), "max-payload": float64(o.bounds.Ingest.Payload), "heartbeat": float64(o.bounds.Heartbeat),
	} {
		if !(value >= 0 && value < math.MaxInt64) { // also what is no number
			return usagef("--%s is no bound; 0 is the default", name)
		}
	}
	if _, err := parseSync(o.sync); err != nil {
		return usageError{err}
	}
	if _, err := o.level(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return usagef("--listen %q: %w; want HOST:PORT", o.listen, err)
	}
	return nil
}

func (o *serving) level() (l slog.Level, err error) {
	if err := l.UnmarshalText([]byte(o.logLevel)); err != nil {
		return l, usagef("--log-level %q is none of debug, info, warn and error", o.logLevel)
	}
	return l, nil
}

func (o *serving) logger(std stdio) *slog.Logger {
	level, _ := o.level() // check has looked
	options := &slog.HandlerOptions{Level: level}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(std.err, options))
	}
	return slog.New(slog.NewTextHandler(std.err, options))
}

// memoryBytes is how many bytes of payload are kept in memory, where nothing else is said.
const memoryBytes = 1 << 30

// open opens the log, or begins one.
func (o *serving) open(std stdio) (cursor.Log, error) {
	if o.memory {
		if o.bytes == 0 {
			o.bytes = memoryBytes // a process has to end somewhere
		}
		return memlog.New(memlog.Options{MaxEvents: o.events, MaxBytes: o.bytes, MaxAge: o.age, MaxEntities: o.entities})
	}
	level, err := parseSync(o.sync)
	if err != nil {
		return nil, err
	}
	return openFolder(o.data, disklog.Options{MaxEvents: o.events, MaxBytes: o.bytes, MaxAge: o.age, MaxEntities: o.entities, Sync: level}, std.err)
}

// access fills in who is let in by which address. Strangers could be at any but this machine's own.
func (o *serving) access(at net.Addr, options *server.Options) (err error) {
	if o.tokens != "" {
		if options.Tokens, err = server.ReadTokens(o.tokens); err != nil {
			return fmt.Errorf("--tokens: %w", err)
		}
	}
	if options.TLS = o.cert != ""; options.TLS {
		if _, err := tls.LoadX509KeyPair(o.cert, o.key); err != nil {
			return fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
	}
	options.Hosts = slices.Clone(o.hosts)
	listener, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return err
	}
	address := listener.Addr().Unmap()
	options.Hosts = append(options.Hosts, netip.AddrPortFrom(address.WithZone(""), listener.Port()).String())
	if address.IsLoopback() {
		for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} { // names of this machine, whichever leads here
			options.Hosts = append(options.Hosts, fmt.Sprintf("%s:%d", host, listener.Port()))
		}
		return nil
	}
	options.AnyAddress = true
	switch {
	case options.Tokens == nil:
		return usagef("--listen %s is not this machine's alone, and everybody there could read and write; give --tokens FILE", o.listen)
	case !options.TLS && !o.insecure:
		return usagef("--listen %s is not this machine's alone, and tokens could be read on the way; give --tls-cert and --tls-key, or --insecure", o.listen)
	}
	return nil
}

// run serves until ctx is over.
func (o *serving) run(ctx context.Context, std stdio) error {
	logger := o.logger(std)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // the server has, if it came so far
	options := server.Options{Bounds: o.bounds, Logger: logger}
	if err := o.access(l.Addr(), &options); err != nil {
		return err
	}
	stopProfiles, err := o.profile(ctx, logger)
	if err != nil {
		return err
	}
	defer stopProfiles()
	if options.Log, err = o.open(std); err != nil {
		return err
	}
	holds, err := options.Log.Bounds(context.WithoutCancel(ctx)) // before anybody adds to it
	if err != nil {
		return closeLog(options.Log, err)
	}
	s, err := server.New(l.Addr(), options)
	if err != nil {
		return closeLog(options.Log, usageError{err})
	}
	served := make(chan error, 1)
	go func() {
		if options.TLS {
			served <- s.ServeTLS(l, o.cert, o.key)
		} else {
			served <- s.Serve(l)
		}
	}()
	o.announce(std, logger, l.Addr(), options, holds)
	select {
	case <-ctx.Done():
		err = nil
	case err = <-served: // it can't begin, or can't accept any more
		served <- nil
	}
	notify(logger, daemon.SdNotifyStopping)
	logger.Info("stopping", "grace", o.grace.String())
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.grace)
	defer cancel()
	err = errors.Join(err, s.Shutdown(soon), <-served)
	if err == nil {
		logger.Info("stopped")
	}
	return err
}

// announce says where the server is: on standard output for scripts, in the log for people, and to systemd.
func (o *serving) announce(std stdio, logger *slog.Logger, at net.Addr, options server.Options, holds cursor.Bounds) {
	scheme := "http"
	if options.TLS {
		scheme = "https"
	}
	fmt.Fprintf(std.out, "%s://%s\n", scheme, at)
	if out, ok := std.out.(*bufio.Writer); ok {
		_ = out.Flush() // whoever started it may not want to know
	}
	logger.Info("serving", "url", scheme+"://"+at.String(), "log", options.Log.ID().String(), "first", holds.First, "next", holds.Next,
		"tokens", options.Tokens != nil, "pid", os.Getpid())
	notify(logger, daemon.SdNotifyReady)
}

// notify tells systemd, where it is there.
func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("systemd can't be told", "state", state, "error", err)
	}
}
