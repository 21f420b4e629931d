// Package debug shows people what the subscriptions of Fanouts are doing.
//
// Handler is a page that says which subscriber is slow: how full its buffer is, since when it is there and
// from which line. Log is an Observer that writes prunes and warnings to a slog.Logger.
//
//	mux.Handle("/debug/spillway", debug.Handler(orders, payments))
//	f := core.New(core.Config[Order]{Observer: debug.Log(logger.With("fanout", "orders"))})
//
// Whoever can open the page reads names, regions and lines of source. Serve it where only you can.
package debug
