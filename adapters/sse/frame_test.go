package sse_test

import (
	"bytes"
	"strings"
	"testing"

	parser "github.com/tmaxmax/go-sse"
	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// lines is what a parser of the standard makes of data: each line break a line feed.
func lines(data []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
}

// One event in, exactly one out of a parser that others have written, whatever bytes it has: no field can be forged.
func FuzzFrame(f *testing.F) {
	for _, data := range []string{
		"", "a", "a\nb", "a\rb", "a\r\nb", "\n", "\r\r\n\n\r", "x\n\nid: 9\nevent: y\ndata: z\n\n", ":c\r\rdata: 1", "\x00\xff", "retry: 1\n",
	} {
		f.Add(uint64(41), "name", []byte(data))
	}
	f.Fuzz(func(t *testing.T, sequence uint64, name string, data []byte) {
		if strings.ContainsAny(name, "\r\n\x00") {
			name = ""
		}
		const log = "3f2a91bc"
		stream := []byte(":\n\n")
		stream = sse.AppendEvent(stream, log, sequence, name, data)
		stream = append(stream, ":\n\n"...)
		stream = sse.AppendNamed(stream, "after", []byte("it"))
		var got []parser.Event
		for e, err := range parser.Read(bytes.NewReader(stream), &parser.ReadConfig{MaxEventSize: len(stream) + 1}) {
			if err != nil {
				t.Fatalf("%q: %v", stream, err)
			}
			got = append(got, e)
		}
		id := string(sse.AppendPlace(nil, log, sequence))
		want := []parser.Event{{LastEventID: id, Type: name, Data: lines(data)}, {LastEventID: id, Type: "after", Data: "it"}}
		if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%q is read as\n%q, want\n%q", stream, got, want)
		}
	})
}

// TestControlCharactersAreShort: no payload is more than three times as long as JSON: a client takes what a server took.
func TestControlCharactersAreShort(t *testing.T) {
	name, err := region.NewCoordinate("a", "s")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"\x01", "\x7f", "\n", `"`, "a"} {
		e := core.Envelope{Payload: []byte(strings.Repeat(c, 1<<20))}
		e.Coordinate = name
		data, err := sse.AppendJSON(nil, e)
		if err != nil || len(data) > 3<<20 {
			t.Errorf("a MiB of %q is %d bytes, %v", c, len(data), err)
		}
		if back, err := sse.ParseJSON(data); err != nil || !bytes.Equal(back.Payload, e.Payload) {
			t.Errorf("a MiB of %q comes back as %d bytes, %v", c, len(back.Payload), err)
		}
	}
}

// ParseJSON has back what AppendJSON was given, also through frames, which are lines.
func TestH163JSONBackAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e core.Envelope
		entity := rapid.StringMatching(`[a-z"\\<é ]{1,8}(:[a-z@]{1,4}){0,2}`).Draw(t, "entity")
		c, err := region.NewCoordinate(entity, "s\"\\")
		if err != nil {
			t.Fatal(err)
		}
		e.Coordinate, e.Kind = c, region.Kind(rapid.Uint16().Draw(t, "kind"))
		e.Sequence, e.Time = rapid.Uint64().Draw(t, "sequence"), rapid.Uint64().Draw(t, "time")
		e.Position = region.Position{
			WallMS: rapid.Uint64().Draw(t, "wall"), Counter: rapid.Uint16().Draw(t, "counter"),
			Depth: rapid.Uint32().Draw(t, "depth"), Lane: rapid.Uint32().Draw(t, "lane"), Sequence: rapid.Uint32().Draw(t, "clock"),
		}
		copy(e.EventID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		copy(e.CausationID[:], rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "causation"))
		e.Payload = []byte(rapid.OneOf(
			rapid.SampledFrom([]string{
				"", "{}", " {}", "{}\n", "{\n\"a\":1}", "{\r\n\"a\":1}", `"s"`, "null", "nullx", "12", "-1.5e3", "true", "[1,2]", "\xff", "\r\n",
				`{"a":"` + "\xff" + `"}`, strings.Repeat("[", 1500) + strings.Repeat("]", 1500), "{", "\x00", "\u2028", "</script>",
			}),
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		).Draw(t, "payload"))
		if len(e.Payload) == 0 {
			e.Payload = nil
		}
		data, err := sse.AppendJSON(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sse.ParseJSON([]byte(lines(data)))
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if got.Notification != e.Notification || got.Time != e.Time || !bytes.Equal(got.Payload, e.Payload) {
			t.Errorf("%s\nis read as %+v\nwant       %+v", data, got, e)
		}
	})
}

// A frame is written into room that is there: nothing is allocated.
func TestFrameAllocatesNothing(t *testing.T) {
	c, err := region.NewCoordinate("alice:cart", "shop")
	if err != nil {
		t.Fatal(err)
	}
	e := core.Envelope{Notification: core.Notification{Coordinate: c, Sequence: 41, Kind: region.KindData}, Payload: []byte(`{"total":12}`)}
	data, frames := make([]byte, 0, 1024), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		data, _ = sse.AppendJSON(data[:0], e)
		frames = sse.AppendEvent(frames[:0], "3f2a91bc", e.Sequence, "", data)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
