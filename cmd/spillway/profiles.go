package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"
)

// profile serves Go's profiles, if they are asked for: on a listener of their own, which is this machine's alone.
func (o *serving) profile(ctx context.Context, logger *slog.Logger) (stop func(), err error) {
	if o.pprof == "" {
		return func() {}, nil
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", o.pprof)
	if err != nil {
		return nil, fmt.Errorf("--pprof: %w", err)
	}
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		_ = l.Close()
		return nil, usagef("--pprof %q is not this machine's alone; want 127.0.0.1:PORT", o.pprof)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	host := l.Addr().String()
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != host { // a page may have its own name lead here
				http.Error(w, "ask by "+host, http.StatusForbidden)
				return
			}
			mux.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14,
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	logger.Info("profiles", "url", "http://"+host+"/debug/pprof/")
	return func() {
		_ = s.Close() // a profile that is under way is cut off
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			logger.Warn("the server of profiles has failed", "error", err)
		}
	}, nil
}
