package main

import (
	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/client"
)

// A remote is the flags of a command that asks a server.
type remote struct {
	server    string
	tokenFile string
}

func (r *remote) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.server, "server", "http://127.0.0.1:7878", "the URL of spillway serve")
	f.StringVar(&r.tokenFile, "token-file", "", "a file that has the token in it")
}

// client returns what makes the requests.
func (r *remote) client() (*client.Client, error) {
	c, err := client.New(r.server, r.tokenFile)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}
