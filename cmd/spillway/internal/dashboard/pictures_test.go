package dashboard_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/region"
)

// changes reads a file of real changes to repositories, a JSON object a line, as events.
type changes struct{ lines *bufio.Scanner }

func openChanges(t *testing.T, path string) *changes {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return &changes{bufio.NewScanner(z)}
}

// next returns the next that has a path which is a name.
func (c *changes) next(t *testing.T) string {
	t.Helper()
	for c.lines.Scan() {
		var of struct{ Repo, Commit, Op, Path string }
		if err := json.Unmarshal(c.lines.Bytes(), &of); err != nil {
			t.Fatal(err)
		}
		entity := strings.ReplaceAll(of.Path, "/", ":")
		kind := strings.Index("AMDT", of.Op)
		if _, err := region.NewCoordinate(entity, of.Repo); err != nil || kind < 0 {
			continue
		}
		return fmt.Sprintf(`{"entity":%q,"scope":%q,"kind":"0x1:0x00%d","payload":{"op":%q,"commit":%q}}`, entity, of.Repo, kind+1, of.Op, of.Commit[:12])
	}
	t.Fatalf("there are no more: %v", c.lines.Err())
	return ""
}

// smaller has a picture do with the 256 colours that it has most of.
func smaller(picture []byte) ([]byte, error) {
	in, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	often := make(map[color.Color]int)
	for y := in.Bounds().Min.Y; y < in.Bounds().Max.Y; y++ {
		for x := in.Bounds().Min.X; x < in.Bounds().Max.X; x++ {
			often[in.At(x, y)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return often[b] - often[a] })
	out := image.NewPaletted(in.Bounds(), all[:min(len(all), 256)])
	draw.Draw(out, in.Bounds(), in, in.Bounds().Min, draw.Src)
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out)
	return b.Bytes(), err
}

// pictures keeps those for README and docs in a folder: a server that has had a minute of real changes, six clients that read
// them, one that doesn't, and one that is nearly full.
func pictures(t *testing.T, folder string) {
	t.Helper()
	s := open(t, func(o *server.Options) { o.Bounds.Write = time.Hour })
	b := newBrowser(t)
	b.look("light", 1280)
	b.open(s.page())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, query := range []string{"scope=tailscale", "entity=server", "entity=cmd", "kind=0x1:0x001", "scope=pebble", "scope=nats-server&kind=0x1:0x002"} {
		go func() {
			for _, err := range sse.Follow(ctx, s.page()+"v1/events?"+query, sse.FollowOptions{}) {
				if err != nil {
					return
				}
			}
		}()
	}
	c := openChanges(t, filepath.Join("..", "..", "..", "..", "..", "shared", "data", "git-events.jsonl.gz"))
	for range 60_000 {
		c.next(t)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range 550 {
		<-tick.C
		lines := make([]string, int(120+60*math.Sin(float64(i)/40)+40*math.Sin(float64(i)/7))+i%13)
		for j := range lines {
			lines[j] = c.next(t)
		}
		s.send("", lines...)
		switch i {
		case 150:
			s.stuck("category=0x1")
		case 540:
			s.stick("release", 210)
		}
	}
	b.do(chromedp.Click("#tree-refresh"))
	b.until(`document.querySelector('#tree [aria-expanded=false] .mark')?.click() || document.querySelector('#tree [role=group] li')`)
	for _, scheme := range []string{"light", "dark"} {
		b.look(scheme, 1280)
		b.do(chromedp.EmulateViewport(1280, 1440))
		b.until(`document.querySelectorAll('.chart canvas').length === 2`)
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			picture, err = smaller(picture)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(picture) > 200_000 {
			t.Errorf("the picture in %s has %d bytes", scheme, len(picture))
		}
		if err := os.WriteFile(filepath.Join(folder, "dashboard-"+scheme+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
