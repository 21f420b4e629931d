package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/client"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/top"
)

// A topping is the command's flags.
type topping struct {
	remote
	plain  bool
	asJSON bool
	count  uint64
}

func newTop(std stdio) *cobra.Command {
	var o topping
	cmd := &cobra.Command{
		Use:   "top",
		Short: "show what a server does: rates, who is slow, who was pruned",
		Long: `Top shows a server's rates and its subscriptions, the fullest first, and who was pruned. Keys: f, h, l and r sort by how
full, by held, by lost and by region; / filters, esc ends that; the arrows scroll; q ends.

Where standard output is no terminal, or with --plain, it prints a line a second. What was pruned is then told on standard error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), std)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.plain, "plain", false, "a line a second, though it be a terminal")
	f.BoolVar(&o.asJSON, "json", false, "a JSON object a second: the server's figures, and rates")
	f.Uint64Var(&o.count, "count", 0, "end after so many seconds' lines; 0 is never")
	return cmd
}

func (o *topping) run(ctx context.Context, std stdio) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if o.plain || o.asJSON || o.count > 0 || std.screen == nil {
		return o.lines(ctx, std, c)
	}
	ctx, cancel := context.WithCancel(ctx)
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(std.in), tea.WithOutput(std.screen), tea.WithoutSignalHandler()}
	if !std.coloured { // NO_COLOR has any value that it likes, not only those that the library knows
		options = append(options, tea.WithColorProfile(colorprofile.NoTTY))
	}
	p := tea.NewProgram(top.New(o.server), options...)
	var feeds sync.WaitGroup
	var denied error
	feeds.Go(func() {
		denied = activity(ctx, c, func(msg any) bool {
			p.Send(msg)
			return true
		})
		if ctx.Err() == nil {
			p.Quit()
		}
	})
	feeds.Go(func() { subscriptions(ctx, c, func(s top.Subscriptions) { p.Send(s) }) })
	_, err = p.Run()
	interrupted := ctx.Err() != nil
	cancel()
	feeds.Wait()
	switch {
	case interrupted:
		return errInterrupted
	case err != nil:
		return err
	case errors.Is(denied, context.Canceled): // q
		return nil
	}
	return denied
}

// lines prints a line a second.
func (o *topping) lines(ctx context.Context, std stdio, c *client.Client) error {
	ctx, stop := untilUnread(ctx, std.raw)
	defer stop()
	var last top.Stats
	var failed error
	e := json.NewEncoder(std.out)
	left := o.count
	err := activity(ctx, c, func(msg any) bool {
		switch msg := msg.(type) {
		case top.Trouble:
			fmt.Fprintf(std.err, "spillway: %s\n", said(msg.Err))
		case top.Ended:
			fmt.Fprintf(std.err, "spillway: %s\n", safe(msg.Line()))
		case top.Stats:
			rates := msg.Since(&last)
			last = msg
			if o.asJSON {
				failed = e.Encode(struct {
					top.Stats
					Rates top.Rates `json:"rates"`
				}{msg, rates})
			} else {
				_, failed = fmt.Fprintln(std.out, msg.Line(rates))
			}
			if failed == nil {
				failed = flush(std.out)
			}
			left--
			return failed == nil && left != 0
		}
		return true
	})
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return stopped(ctx)
	}
	return err
}

// activity hands out what a server says of itself, as a Stats, an Ended or a Trouble, until send says no. It comes back to a server that
// isn't there.
func activity(ctx context.Context, c *client.Client, send func(any) bool) error {
	follow := sse.FollowOptions{Client: c.HTTP(), Header: c.Header(), Retrying: func(cause error, _ time.Duration) {
		send(top.Trouble{Err: cause})
	}}
	for {
		for e, err := range sse.Follow(ctx, c.URL("/v1/activity", url.Values{}), follow) {
			if errors.Is(err, sse.ErrLost) || errors.Is(err, sse.ErrReplaced) { // nothing that is wanted: the next figures are as good
				send(top.Trouble{Err: err})
				break
			}
			if err != nil {
				return err
			}
			var msg any
			switch e.Name {
			case "stats":
				var s top.Stats
				err = json.Unmarshal(e.Data, &s)
				msg = s
			case "ended":
				var n top.Ended
				err = json.Unmarshal(e.Data, &n)
				msg = n
			default:
				continue
			}
			if err != nil {
				return fmt.Errorf("the server says something else than spillway serve would: %w", err)
			}
			if !send(msg) {
				return nil
			}
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// subscriptions hands out the table each second.
func subscriptions(ctx context.Context, c *client.Client, send func(top.Subscriptions)) {
	for ctx.Err() == nil {
		var all struct {
			Subscriptions top.Subscriptions `json:"subscriptions"`
		}
		if c.Get(ctx, "/v1/subscriptions", nil, &all) == nil { // if not, activity says why
			send(all.Subscriptions)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}
