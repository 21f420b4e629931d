package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// table prints the figures for people.
func (f figures) table(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s\n", f.Machine, f.Go)
	fmt.Fprint(out, "ns: a delivery of a Notification (120 bytes), from the send until the reader has checked it.\n",
		"x multicast, x channels: how many times as long as Spillway's; WINS: less than one of them.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "peer\tversion\tpayload\treaders\tns\tmulticast\tchannels\tx multicast\tx channels\t\t")
	for _, r := range f.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.4g\t%.3g\t%.3g\t%.3g\t%.3g\t%s\t\n",
			r.Peer, shortened(r.Version), r.Payload, r.Readers, r.NS, r.multicast, r.channels, r.RatioMulticast, r.RatioChannels, r.wins())
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
	fmt.Fprintln(w, "peer\tfilter\tprune a slow reader\tbound its buffers\tunder a millisecond")
	for _, p := range peers() {
		fmt.Fprint(w, p.name)
		for _, had := range p.features() {
			word := "no"
			if had.has {
				word = "yes"
			}
			fmt.Fprint(w, "\t", word)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
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

// String is the row with its verdict.
func (p p4k) String() string {
	verdict := "SHORT of the target"
	switch {
	case p.Ratio <= p.Stretch:
		verdict = "stretch reached"
	case p.Ratio <= p.Target:
		verdict = "target reached"
	}
	return fmt.Sprintf("P4k: %.3g ns against %.4g of %s, the fastest with %d readers: ratio 1/%.1f, target 1/%.0f, stretch 1/%.0f: %s",
		p.This, p.Against, p.Fastest, p4kReaders, 1/p.Ratio, 1/p.Target, 1/p.Stretch, verdict)
}

// shortened leaves of a version without a tag its date and the beginning of its commit.
func shortened(version string) string {
	const untagged = "v0.0.0-20060102150405-"
	if len(version) <= len(untagged) || version[:7] != untagged[:7] {
		return version
	}
	return version[7:15] + "-" + version[len(untagged):len(untagged)+7]
}
