package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// A serving is what serve was asked for.
type serving struct {
	data     string
	memory   bool
	sync     string
	events   int
	bytes    int
	age      time.Duration
	entities int

	listen   string
	hosts    []string
	tokens   string
	cert     string
	key      string
	insecure bool

	bounds    server.Bounds
	logFormat string
	logLevel  string
	pprof     string
	grace     time.Duration
}

func newServe(std stdio) *cobra.Command {
	var o serving
	cmd := &cobra.Command{
		Use:   "serve --data DIR | --memory",
		Short: "take events, keep them, and stream them by HTTP",
		Long: `Serve takes events by POST /v1/events, keeps them in the log of a folder, or in memory, and streams them by
GET /v1/events to whoever asks for a region of them. A page for people is at /, and GET /v1/openapi.json says all that there is.

By itself it listens on this machine alone, and asks for no token. At any other address it wants --tokens, and --tls-cert and --tls-key,
or --insecure where something in front of it does TLS. A file of tokens has a line for each, which nobody but its owner and group may read:

  read|write|both TOKEN
  read|write|both sha256:HASH     what sha256sum prints for the token, without a line's end

It is asked by the address that it listens at; by another name, or behind a proxy, --host says by which. SIGINT or SIGTERM ends it, when
what was taken is durable and the streams were told where to resume, or after --grace.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), std)
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *serving) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "keep the events in the log of this folder")
	f.BoolVar(&o.memory, "memory", false, "keep them in memory, and lose them at the end")
	f.StringVar(&o.sync, "sync", "each", "when the log is on the disk: each append, none, or every so often, as 10ms")
	f.IntVar(&o.events, "retain-events", 0, "keep so many events; 0 is any number, and in memory a million")
	f.IntVar(&o.bytes, "retain-bytes", 0, "keep so many bytes of payload; 0 is any number, and in memory 1 GiB")
	f.DurationVar(&o.age, "retain-age", 0, "keep an event so long; 0 is for ever")
	f.IntVar(&o.entities, "max-entities", 0, "know so many entities, of all time; 0 is any number, and in memory a million")

	f.StringVar(&o.listen, "listen", "127.0.0.1:7878", "listen at this address")
	f.StringSliceVar(&o.hosts, "host", nil, "be asked by this host, too; may be given more than once, or with commas")
	f.StringVar(&o.tokens, "tokens", "", "ask for one of the tokens in this file")
	f.StringVar(&o.cert, "tls-cert", "", "the certificate's file")
	f.StringVar(&o.key, "tls-key", "", "its key's file")
	f.BoolVar(&o.insecure, "insecure", false, "do without TLS at an address that isn't this machine's alone")

	b := &o.bounds
	f.IntVar(&b.Connections, "max-connections", 0, "connections at one time; 0 is 16384")
	f.IntVar(&b.Streams, "max-streams", 0, "streams at one time; 0 is 8192")
	f.IntVar(&b.StreamsPerClient, "max-streams-per-client", 0, "streams of one address at one time; 0 is 64")
	f.IntVar(&b.Regions, "max-regions", 0, "regions of a stream; 0 is 16")
	f.IntVar(&b.Shapes, "max-shapes", 0, "shapes of one client's regions; 0 is 32")
	f.IntVar(&b.Buffer, "buffer", 0, "events that wait for a stream before it reads the log; 0 is 256")
	f.IntVar(&b.Ingests, "max-ingests", 0, "requests with events at one time; 0 is 64")
	f.IntVar(&b.IngestsPerClient, "max-ingests-per-client", 0, "those of one address; 0 is 16")
	f.Float64Var(&b.Rate, "max-rate", 0, "requests a second of one address; 0 is 10000")
	f.Int64Var(&b.Ingest.Body, "max-body", 0, "bytes of a body that is no stream of lines; 0 is 4 MiB")
	f.IntVar(&b.Ingest.Line, "max-line", 0, "bytes of a line; 0 is 4 MiB")
	f.IntVar(&b.Ingest.Payload, "max-payload", 0, "bytes of an event's payload; 0 is 1 MiB")
	f.DurationVar(&b.Heartbeat, "heartbeat", 0, "how often a quiet stream says that it is there; 0 is 15s")
	f.DurationVar(&b.Retry, "reconnect", 0, "how long a stream's client that is cut off waits before it comes back, on average; 0 is 2s")

	f.StringVar(&o.logFormat, "log-format", "text", "what is logged, on standard error: text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "and how much: debug, info, warn or error")
	f.StringVar(&o.pprof, "pprof", "", "serve Go's profiles at this address, of this machine alone")
	f.DurationVar(&o.grace, "grace", 10*time.Second, "how long stopping may take before it is forced")
}
