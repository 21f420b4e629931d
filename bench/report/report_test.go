package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
	"github.com/spillwayhq/spillway/bench/report"
)

var update = flag.Bool("update", false, "write testdata's pages anew")

// fixed returns the figures in testdata: those of a quick run, with a row that fails, one that falls short and one that failed.
func fixed(t *testing.T) report.Report {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "figures.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := report.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func html(t *testing.T, r report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s differs from line %d on: %q; run go test ./bench/report -update, and look at what changed", path, i+1, g[i])
		}
	}
	t.Fatalf("%s ends at line %d, and has %d", path, len(g), len(w))
}

// Equal figures make equal pages; the browser's test is of the same.
func TestHTML(t *testing.T) {
	page := html(t, fixed(t))
	if again := html(t, fixed(t)); again != page {
		t.Error("equal figures made two pages")
	}
	for _, never := range []string{"<script", "http://", "https://", "@import", "url(", "ZgotmplZ"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %s", never)
		}
	}
	golden(t, "report.html", page)
}

func TestMarkdown(t *testing.T) {
	p, err := fixed(t).Markdown("", "report")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.md", p.Text)
	if want := len(fixed(t).Curves) + 2; len(p.Charts) != want {
		t.Errorf("%d charts, want %d", len(p.Charts), want)
	}
	for name, chart := range p.Charts {
		if !strings.Contains(p.Text, "](report/"+name+")") {
			t.Errorf("the page doesn't show %s", name)
		}
		for d := xml.NewDecoder(bytes.NewReader(chart)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s is no XML: %v", name, err)
				break
			}
		}
	}
	golden(t, "select.svg", string(p.Charts["select.svg"]))
}

// What an author wrote between the parts stays when the page is written again, and the parts are those of the new figures.
func TestMarkdownKeepsWhatIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := fixed(t).WriteMarkdown(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const own = "\nWhat to make of it: $1 nothing.\n"
	written := strings.Replace(string(text), "## Latency\n", "## Latency\n"+own, 1)
	if err := os.WriteFile(path, []byte(written), 0o666); err != nil {
		t.Fatal(err)
	}
	r := fixed(t)
	r.Date = "another day"
	if err := r.WriteMarkdown(path); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(written, fixed(t).Date, "another day"); string(again) != want {
		t.Errorf("written again the page is\n%s", again)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "page", "select.svg")); err != nil {
		t.Error(err)
	}
}

func TestMarkdownSaysWhatIsWrongWithAPage(t *testing.T) {
	p, err := fixed(t).Markdown("", "x")
	if err != nil {
		t.Fatal(err)
	}
	const rows = "<!-- spillway bench: rows -->"
	for _, test := range []struct{ name, page, want string }{
		{"a part is missing", strings.Replace(p.Text, rows, "", 1), `no part "rows"`},
		{"a part is there twice", p.Text + "\n" + rows + "\n<!-- /spillway bench: rows -->", `the part "rows" twice`},
		{"a part nobody knows", p.Text + "\n<!-- spillway bench: x -->\n<!-- /spillway bench: x -->", `a part "x"`},
		{"a part ends as another", strings.Replace(p.Text, "<!-- /spillway bench: rows -->", "<!-- /spillway bench: run -->", 1), `"rows" that ends as "run"`},
	} {
		if _, err := fixed(t).Markdown(test.page, "x"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v; want %s", test.name, err, test.want)
		}
	}
}

// What names and notes bear is text, whatever it looks like.
func TestTextIsText(t *testing.T) {
	r := report.Report{
		Command:  "bench --out '<script>'",
		Rows:     []judge.Judged{{Row: "P0", Work: "<script>alert(1)</script>|x", Verdict: judge.Fails, Note: "a <b>\nc"}},
		Failures: []string{"<script>"},
		NoPeers:  "no <script>",
	}
	if page := html(t, r); strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
		t.Error("HTML has tags of its figures'")
	}
	p, err := r.Markdown("", "x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Text, `| &lt;script>alert(1)&lt;/script>\|x |`) {
		t.Errorf("Markdown has\n%s", p.Text)
	}
}

// A report with next to nothing in it is a page too.
func TestEmpty(t *testing.T) {
	r := report.Report{Cut: true, Curves: []report.Curve{{
		ID: "one", Title: "One", X: "n", Unit: bench.PerDelivery, Points: []report.Point{{X: 1, Ratio: 1, Sides: []report.Figure{{"spillway", 5, 5, 5}}}},
	}}}
	if page := html(t, r); !strings.Contains(page, "interrupted") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
		t.Errorf("the page is\n%s", page)
	}
	if _, err := r.Markdown("", "x"); err != nil {
		t.Error(err)
	}
}

func TestJSONIsReadAgain(t *testing.T) {
	var first, second bytes.Buffer
	if err := fixed(t).JSON(&first); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.JSON(&second); err != nil || second.String() != first.String() {
		t.Errorf("read and written again it differs (%v)", err)
	}
	for _, bad := range []string{"", "{", `{"rows":3}`, `{"unknown":1}`} {
		if _, err := report.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read as a report", bad)
		}
	}
}

func TestDistribution(t *testing.T) {
	h := hdrhistogram.New(1, 1e9, 2)
	for i := range int64(2_000) {
		if err := h.RecordValue(i + 1); err != nil {
			t.Fatal(err)
		}
	}
	d := report.NewDistribution(bench.Latency{Side: "ring", Readers: 3, Rate: 5}, h)
	if d.Side != "ring" || d.Readers != 3 || d.Rate != 5 || d.Count != 2_000 || d.Max < 2_000 {
		t.Errorf("got %+v", d)
	}
	if ns, ok := d.At(50); !ok || ns < 1_000 || ns > 1_010 {
		t.Errorf("the median is %v, %v; want about 1000", ns, ok)
	}
	if ns, ok := d.At(99.9); ok {
		t.Errorf("the 99.9th percentile is told, %v, though only two of two thousand are beyond it", ns)
	}
	if last := d.Values[len(d.Values)-1]; last.Percent != 99.5 {
		t.Errorf("the last percentile told is %v; want 99.5, which ten are beyond", last.Percent)
	}
}

func TestCurveTakesAPoint(t *testing.T) {
	c := report.NewCurve(bench.Curve{ID: "c", Unit: bench.PerSecond})
	c.Add(bench.Point{X: 1000, Row: bench.Row{Against: "it", Deliveries: 10}}, bench.Result{
		This: 100, ThisSpan: bench.Span{Low: 50, High: 200}, Against: 1000, AgainstSpan: bench.Span{Low: 1000, High: 1000},
		Ratios: []float64{0.1}, Beside: []bench.Figure{{Name: "other", Value: 10, Span: bench.Span{Low: 10, High: 10}}},
	})
	p := c.Points[0]
	want := []report.Figure{{"spillway", 1e8, 5e7, 2e8}, {"it", 1e7, 1e7, 1e7}, {"other", 1e9, 1e9, 1e9}}
	if p.X != 1000 || p.Ratio != 0.1 || len(p.Sides) != 3 || p.Sides[0] != want[0] || p.Sides[1] != want[1] || p.Sides[2] != want[2] {
		t.Errorf("got %+v, want the sides %v", p, want)
	}
}
