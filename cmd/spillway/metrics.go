package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
)

// listenAt returns the address to listen at: on this machine alone, unless a host is named.
func listenAt(ctx context.Context, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("--metrics %q: %w; want HOST:PORT or :PORT", address, err)
	}
	if _, err := net.DefaultResolver.LookupPort(ctx, "tcp", port); err != nil {
		return "", fmt.Errorf("--metrics %q: %w; want HOST:PORT or :PORT", address, err)
	}
	if host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}

// serveMetrics serves the metrics and the debug page of a fan-out until stop is called, and says where.
func serveMetrics(ctx context.Context, address string, source core.Source, notes io.Writer) (stop func(), err error) {
	if address, err = listenAt(ctx, address); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	registry := prom.NewRegistry()
	registry.MustRegister(prometheus.NewCollector(source))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.Handle("/debug", debug.Handler(source))
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 16,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(notes, "spillway: http://%s/metrics and http://%[1]s/debug\n", l.Addr())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close() // whoever still reads has had a second
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintf(notes, "spillway: the metrics' server: %v\n", err)
		}
	}, nil
}
