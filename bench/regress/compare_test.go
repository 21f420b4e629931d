package regress_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench/regress"
)

// recorded reads ten runs of three rows: base.txt is of a build whose rings were slower, better.txt of the one that
// followed it, same.txt of the first once more. They were taken in turns, on two cores beside other programs.
func recorded(t *testing.T, name string) regress.Samples {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s := make(regress.Samples)
	if err := s.Read(f, name); err != nil {
		t.Fatal(err)
	}
	return s
}

func verdicts(lines []regress.Line) map[string]regress.Verdict {
	v := make(map[string]regress.Verdict)
	for _, l := range lines {
		v[l.Row] = l.Verdict
	}
	return v
}

const rings, ten, nobody = "P2/subs=100", "P1/subs=10", "P1z"

func TestCompareRecordedRuns(t *testing.T) {
	for _, test := range []struct {
		name         string
		base, change string
		edit         func(base, change regress.Samples)
		noise        map[string]float64
		want         map[string]regress.Verdict
	}{
		{"better", "base.txt", "better.txt", nil, nil, map[string]regress.Verdict{rings: regress.Better, ten: regress.Same, nobody: regress.Same}},
		{"worse", "better.txt", "base.txt", nil, nil, map[string]regress.Verdict{rings: regress.Worse, ten: regress.Same, nobody: regress.Same}},
		{"noise", "base.txt", "same.txt", nil, nil, map[string]regress.Verdict{rings: regress.Same, ten: regress.Same, nobody: regress.Same}},
		{
			"worse, within what equal code differs by here", "better.txt", "base.txt", nil,
			map[string]float64{rings: 0.9},
			map[string]regress.Verdict{rings: regress.Same, ten: regress.Same, nobody: regress.Same},
		},
		{
			"a row is missing", "base.txt", "same.txt", func(_, change regress.Samples) { delete(change, rings) }, nil,
			map[string]regress.Verdict{rings: regress.Gone, ten: regress.Same, nobody: regress.Same},
		},
		{
			"a row is new", "base.txt", "same.txt", func(base, _ regress.Samples) { delete(base, rings) }, nil,
			map[string]regress.Verdict{rings: regress.New, ten: regress.Same, nobody: regress.Same},
		},
		{
			"a row measures something else", "better.txt", "base.txt", func(_, change regress.Samples) { change[rings].Version++ }, nil,
			map[string]regress.Verdict{rings: regress.Changed, ten: regress.Same, nobody: regress.Same},
		},
		{
			"a row allocates", "base.txt", "better.txt", func(base, change regress.Samples) {
				base[rings].Allocs, change[rings].Allocs = slices.Repeat([]float64{0}, 10), slices.Repeat([]float64{1}, 10)
			}, nil,
			map[string]regress.Verdict{rings: regress.Allocate, ten: regress.Same, nobody: regress.Same},
		},
		{
			"one run was slow", "base.txt", "same.txt", func(_, change regress.Samples) { change[ten].Figures[3] *= 5 }, nil,
			map[string]regress.Verdict{rings: regress.Same, ten: regress.Same, nobody: regress.Same},
		},
	} {
		base, change := recorded(t, test.base), recorded(t, test.change)
		if test.edit != nil {
			test.edit(base, change)
		}
		lines := regress.Compare(base, change, test.noise)
		got := verdicts(lines)
		for row, want := range test.want {
			if got[row] != want {
				t.Errorf("%s: %s is %q, want %q", test.name, row, got[row], want)
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: %d rows, want %d", test.name, len(got), len(test.want))
		}
	}
}

// A loss that is certain in one row alone may be chance among many: the more rows, the less a P is worth.
func TestCompareCorrectsForTheNumberOfRows(t *testing.T) {
	few := func(figures ...float64) *regress.Row {
		return &regress.Row{Version: 1, Unit: "x-base", Figures: figures, Allocs: make([]float64, len(figures))}
	}
	base, change := make(regress.Samples), make(regress.Samples)
	base["a"], change["a"] = few(1, 2, 3, 4), few(5, 6, 7, 8) // p = 0.029
	if got := verdicts(regress.Compare(base, change, nil))["a"]; got != regress.Worse {
		t.Fatalf("alone it is %q, want %q", got, regress.Worse)
	}
	for _, row := range []string{"b", "c"} {
		base[row], change[row] = few(1, 2, 3, 4), few(1, 2, 3, 4)
	}
	if got := verdicts(regress.Compare(base, change, nil))["a"]; got != regress.Same {
		t.Errorf("among three rows it is %q, want %q", got, regress.Same)
	}
}

// What a row is allowed is its noise on this machine, and on a stranger's what the base's own runs differ by: a tenth at least.
func TestCompareAllows(t *testing.T) {
	quiet := []float64{1, 1, 1, 1, 1, 1.01, 1.01, 1.01, 1.01, 1.01}
	loud := []float64{0.7, 0.7, 0.7, 0.7, 1, 1, 1.4, 1.4, 1.4, 1.4}
	for _, test := range []struct {
		name         string
		base, change []float64
		noise        map[string]float64
		floor        float64
		want         regress.Verdict
	}{
		{"a quiet row on a stranger's machine", quiet, times(quiet, 1.12), nil, 0.10, regress.Worse},
		{"a loud row on a stranger's machine", loud, times(loud, 1.3), nil, 0.35, regress.Same},
		{"a loud row that lost much more", loud, times(loud, 4), nil, 0.35, regress.Worse},
		{"a row that is known to be quiet", loud, times(loud, 4), map[string]float64{"a": 0.01}, 0.10, regress.Worse},
		{"a row that is known to be loud", quiet, times(quiet, 1.12), map[string]float64{"a": 0.15}, 0.15, regress.Same},
		{"a count that was nothing and is nothing", times(quiet, 0), times(quiet, 0), nil, 0.10, regress.Same},
		{"a count that was nothing", times(quiet, 0), times(quiet, 3), nil, 0.10, regress.Worse},
	} {
		base := regress.Samples{"a": {Version: 1, Unit: "x-base", Figures: test.base}}
		change := regress.Samples{"a": {Version: 1, Unit: "x-base", Figures: test.change}}
		l := regress.Compare(base, change, test.noise)[0]
		if math.Abs(l.Floor-test.floor) > 1e-9 || l.Verdict != test.want {
			t.Errorf("%s: allowed %v, %q; want %v, %q", test.name, l.Floor, l.Verdict, test.floor, test.want)
		}
	}
}

func times(figures []float64, by float64) []float64 {
	figures = slices.Clone(figures)
	for i := range figures {
		figures[i] *= by
	}
	return figures
}

// What the runtime makes for goroutines that wait is not a row's to say, and is printed of none: no side has more of it.
func TestCompareAllocationsOfBoth(t *testing.T) {
	for _, test := range []struct {
		name         string
		base, change string // allocations, as they are printed
		want         regress.Verdict
	}{
		{"none any more", " 7 allocs/op", "", regress.Same},
		{"none before", "", " 7 allocs/op", regress.Same},
		{"as many", " 7 allocs/op", " 7 allocs/op", regress.Same},
		{"one more", " 7 allocs/op", " 8 allocs/op", regress.Allocate},
		{"one fewer", " 7 allocs/op", " 6 allocs/op", regress.Same},
	} {
		sides := [2]regress.Samples{{}, {}}
		for i, allocs := range []string{test.base, test.change} {
			for range 10 {
				if err := sides[i].Read(strings.NewReader("BenchmarkP0-2 1 1 x-it 1 version"+allocs+"\n"), "it"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := regress.Compare(sides[0], sides[1], nil)[0].Verdict; got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestNoise(t *testing.T) {
	noise := regress.Noise(regress.Compare(recorded(t, "base.txt"), recorded(t, "same.txt"), nil))
	if len(noise) != 3 {
		t.Fatalf("noise of %d rows, want 3", len(noise))
	}
	for row, n := range noise {
		if n < 0 || n > 0.1 {
			t.Errorf("%s: equal code differed by %v, want between 0 and a tenth", row, n)
		}
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"BenchmarkP1-2 1 5 ns/op 1 version\n":                                "P1 has no figure",
		"BenchmarkP1-2 1 5 x-a 1 version\nBenchmarkP1-2 1 5 x-a 2 version\n": "version 2",
		"BenchmarkP1-2 1 5 x-a 1 version\nBenchmarkP1-2 1 5 x-b 1 version\n": "x-b",
		"BenchmarkP1-2 1 5\n": "missing units",
	} {
		err := make(regress.Samples).Read(strings.NewReader(text), "it")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
	s := make(regress.Samples)
	if err := s.Read(strings.NewReader("BenchmarkGrace/protocol=epochs-2 1 5 ns/op\nPASS\n"), "it"); err != nil || len(s) != 0 {
		t.Errorf("a benchmark that is no row: %v, %v; want none", s, err)
	}
}

func TestWrite(t *testing.T) {
	var out strings.Builder
	base, change := recorded(t, "better.txt"), recorded(t, "base.txt")
	delete(change, nobody)
	if err := regress.Write(&out, regress.Compare(base, change, nil)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"WORSE", "x-rawoffer", "not measured any more", "+5", "10.0 %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
}
