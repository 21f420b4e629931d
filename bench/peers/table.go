package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// table prints the figures for people.
func (f figures) table(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s\n", f.Machine, f.Go)
	fmt.Fprint(out, "ns: a delivery of a Notification (120 bytes), from the send until the reader has checked it.\n",
		"x multicast, x channels: how many times as long as Spillway's; WINS: less than one of them.\n",
		"At the end of a line is what the figure is without: Spillway hands every reader a value of its own, filters, prunes who\n",
		"is slow, has buffers of fixed size, and delivers at once.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "peer\tversion\tbuffer\treaders\tns\tmulticast\tchannels\tx multicast\tx channels\t\t")
	for _, r := range f.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.4g\t%.3g\t%.3g\t%.3g\t%.3g\t%s\t  %s\n", r.Peer, shortened(r.Version), r.buffer(), r.Readers,
			r.NS, r.Multicast, r.Channels, r.RatioMulticast, r.RatioChannels, r.wins(), strings.Join(r.Without, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.features(out); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, l := range f.Cannot {
		fmt.Fprintf(out, "%s can't %s: %s\n", l.Peer, l.What, l.Why)
	}
	fmt.Fprintln(out)
	if f.P4k == nil {
		_, err := fmt.Fprintf(out, "P4k: not measured, it takes --n %d\n", p4kReaders)
		return err
	}
	_, err := fmt.Fprintln(out, f.P4k)
	return err
}

// features prints what the peers can do.
func (f figures) features(out io.Writer) error {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "peer\t"+strings.Join(features, "\t"))
	for _, p := range f.Peers {
		fmt.Fprint(w, p.Peer)
		for _, what := range features {
			word := "no"
			if slices.Contains(p.Can, what) {
				word = "yes"
			}
			fmt.Fprint(w, "\t", word)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// buffer is what was chosen, where there is something to choose.
func (r row) buffer() string {
	if r.Buffer == 0 {
		return "-"
	}
	return strconv.Itoa(r.Buffer)
}

// wins says which of Spillway's ways the peer is quicker than.
func (r row) wins() string {
	switch multicast, channels := r.RatioMulticast < 1, r.RatioChannels < 1; {
	case multicast && channels:
		return "WINS over both"
	case multicast:
		return "WINS over multicast"
	case channels:
		return "WINS over channels"
	default:
		return ""
	}
}

// shortened leaves of a version without a tag its date and the beginning of its commit.
func shortened(version string) string {
	const untagged = "v0.0.0-20060102150405-"
	if len(version) <= len(untagged) || version[:7] != untagged[:7] {
		return version
	}
	return version[7:15] + "-" + version[len(untagged):len(untagged)+7]
}
