package disklog_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A Read of large events stops early, whoever asks for however many: what those hold who are slow to take them is bounded by bytes.
func TestReadIsBoundedInBytes(t *testing.T) {
	log, err := openOn(vfs.NewMem(), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	const large, most = 100 << 10, 256 << 10
	for i := range 30 {
		d, huge := about(t, "a", 8), about(t, "b", 8)
		d.Payload, huge.Payload = make([]byte, large), make([]byte, i*large)
		add(t, log, d, huge)
	}
	for _, r := range []region.Region{{}, {Entity: "a"}, {Entity: "b"}} {
		dst := make([]core.Envelope, 100)
		total := 0
		for from := uint64(0); ; {
			n, next, err := log.Read(ctx, r, from, dst)
			if err != nil {
				t.Fatal(err)
			}
			bytes := 0
			for i := range n {
				if i < n-1 {
					bytes += len(dst[i].Payload)
				}
			}
			if bytes >= most {
				t.Errorf("%v from %d: %d events, all but the last of %d bytes", r, from, n, bytes)
			}
			if total += n; next == from {
				break
			}
			from = next
		}
		if want := map[string]int{"": 60, "a": 30, "b": 30}[r.Entity]; total != want {
			t.Errorf("%v: %d events, want %d", r, total, want)
		}
	}
}
