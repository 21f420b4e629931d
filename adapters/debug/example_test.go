package debug_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A browser gets a page; a program asks for JSON.
func ExampleHandler() {
	orders := core.New(core.Config[string]{Name: "orders"})
	for _, capacity := range []int{8, 2} {
		if _, err := channel.Subscribe(context.Background(), orders, region.Region{}, capacity); err != nil {
			panic(err)
		}
	}
	orders.Broadcast("a")

	mux := http.NewServeMux()
	mux.Handle("/debug/spillway", debug.Handler(orders))

	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest("GET", "/debug/spillway?format=json&limit=1", nil))
	var page struct {
		Total         int
		Subscriptions []struct{ ID, Held, Capacity int }
	}
	if err := json.Unmarshal(response.Body.Bytes(), &page); err != nil {
		panic(err)
	}
	fmt.Println(page.Total, "subscriptions; the fullest:", page.Subscriptions)
	// Output:
	// 2 subscriptions; the fullest: [{2 1 2}]
}

// The Fanout's name is the logger's to say.
func ExampleLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: without("time", "since", "site", "err")}))
	orders := core.New(core.Config[string]{Observer: debug.Log(logger.With("fanout", "orders"))})
	ctx := context.Background()
	if _, err := channel.Subscribe(ctx, orders, region.Region{}, 1); err != nil {
		panic(err)
	}
	orders.Broadcast("fits")
	if err := orders.Wait(ctx); err != nil { // so that the warning is told before the prune
		panic(err)
	}
	orders.Broadcast("one too many")
	if err := orders.Wait(ctx); err != nil {
		panic(err)
	}
	// Output:
	// level=WARN msg="subscription is lagging" fanout=orders id=1 region=* sink=channel.sink held=1 capacity=1 lost=0
	// level=WARN msg="subscription pruned" fanout=orders id=1 region=* sink=channel.sink held=1 capacity=1 lost=0 verdict=full
}

// without leaves out what differs from run to run.
func without(keys ...string) func([]string, slog.Attr) slog.Attr {
	return func(_ []string, a slog.Attr) slog.Attr {
		if slices.Contains(keys, a.Key) {
			return slog.Attr{}
		}
		return a
	}
}
