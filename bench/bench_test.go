package bench

import "testing"

func BenchmarkP1(b *testing.B)   { benchmark(b, "P1") }
func BenchmarkP1z(b *testing.B)  { benchmark(b, "P1z") }
func BenchmarkP2(b *testing.B)   { benchmark(b, "P2") }
func BenchmarkP4(b *testing.B)   { benchmark(b, "P4") }
func BenchmarkP4n(b *testing.B)  { benchmark(b, "P4n") }
func BenchmarkP5(b *testing.B)   { benchmark(b, "P5") }
func BenchmarkP5l(b *testing.B)  { benchmark(b, "P5l") }
func BenchmarkP5m(b *testing.B)  { benchmark(b, "P5m") }
func BenchmarkP6(b *testing.B)   { benchmark(b, "P6") }
func BenchmarkP7(b *testing.B)   { benchmark(b, "P7") }
func BenchmarkP7b(b *testing.B)  { benchmark(b, "P7b") }
func BenchmarkP7w(b *testing.B)  { benchmark(b, "P7w") }
func BenchmarkP8(b *testing.B)   { benchmark(b, "P8") }
func BenchmarkP9(b *testing.B)   { benchmark(b, "P9") }
func BenchmarkP9c(b *testing.B)  { benchmark(b, "P9c") }
func BenchmarkP10(b *testing.B)  { benchmark(b, "P10") }
func BenchmarkP11(b *testing.B)  { benchmark(b, "P11") }
func BenchmarkP12(b *testing.B)  { benchmark(b, "P12") }
func BenchmarkP12s(b *testing.B) { benchmark(b, "P12s") }
func BenchmarkP13(b *testing.B)  { benchmark(b, "P13") }
func BenchmarkP13m(b *testing.B) { benchmark(b, "P13m") }
func BenchmarkP14(b *testing.B)  { benchmark(b, "P14") }
func BenchmarkP14l(b *testing.B) { benchmark(b, "P14l") }
func BenchmarkP15(b *testing.B)  { benchmark(b, "P15") }
func BenchmarkP13e(b *testing.B) { benchmark(b, "P13e") }

// Last: what a hundred thousand goroutines leave behind slows down the baselines of whatever comes after, P4's by five times.
func BenchmarkP3(b *testing.B) { benchmark(b, "P3") }

// benchmark measures the rows of an ID, each as a benchmark of its own.
func benchmark(b *testing.B, id string) {
	rows, err := RowsOf(id)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rows {
		if r.Case == "" {
			r.benchmark(b)
			continue
		}
		b.Run(r.Case, r.benchmark)
	}
}

// benchmark reports what was measured. A row fails for being slow only where the figure doesn't depend on the machine.
func (r Row) benchmark(b *testing.B) {
	if r.Needs != nil {
		if err := r.Needs(); err != nil {
			b.Skip(err)
		}
	}
	result := r.Measure(b, b.Loop)
	if r.Against != "" {
		b.ReportMetric(result.Ratio(), "x-"+r.Against)
		b.ReportMetric(result.This, "ns/op")
		b.ReportMetric(result.Against, "ns-"+r.Against)
	} else {
		b.ReportMetric(result.This, r.Unit)
		b.ReportMetric(0, "ns/op") // not printed: the time is that of the whole round
	}
	if r.Deliveries > 0 {
		ns := r.PerDelivery(result.This)
		b.ReportMetric(ns, "ns/delivery")
		b.ReportMetric(1e9/ns, "deliveries/s")
	}
	for _, f := range result.Beside {
		b.ReportMetric(f.Value, "ns-"+f.Name)
	}
	if result.Own {
		b.ReportAllocs() // or the two are not printed
		b.ReportMetric(float64(result.Allocs), "allocs/op")
		b.ReportMetric(float64(result.Bytes), "B/op")
	}
	b.ReportMetric(float64(result.Rounds), "rounds")
	b.ReportMetric(float64(r.Version), "version")
	if r.Target != 0 {
		b.ReportMetric(r.Target, "target")
	}
	if r.Counted && result.This > r.Limit() {
		b.Fatalf("%.4g %s, want %g at most", result.This, r.Unit, r.Limit())
	}
}

// TestRowsThatAllocateNothing measures them for a few rounds.
func TestRowsThatAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, r := range Rows() {
		if !r.NoAllocs || !r.Quick {
			continue
		}
		t.Run(r.Name(), func(t *testing.T) {
			rounds := 0
			result := r.Measure(t, func() bool { rounds++; return rounds <= 20 })
			if result.Allocs > 0 {
				t.Errorf("a round allocates %d objects, %d bytes; want none", result.Allocs, result.Bytes)
			}
		})
	}
}

// TestRows holds the rows together: each has a name of its own, says what it is, and is found by its ID.
func TestRows(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range Rows() {
		if seen[r.Name()] {
			t.Errorf("%s is there twice", r.Name())
		}
		seen[r.Name()] = true
		if r.Work == "" || r.Unit == "" || r.Version < 1 || r.Open == nil {
			t.Errorf("%s does not say what it is: %+v", r.Name(), r)
		}
		if r.Stretch > r.Target {
			t.Errorf("%s: stretch %v is easier than target %v", r.Name(), r.Stretch, r.Target)
		}
		if (r.Against == "") != r.Counted {
			t.Errorf("%s: a figure without a baseline must be one that doesn't depend on the machine", r.Name())
		}
		if r.Unit == "ns/delivery" && r.Deliveries != 1 {
			t.Errorf("%s: a figure of a delivery is of %d deliveries", r.Name(), r.Deliveries)
		}
		if found, err := RowsOf(r.Name()); err != nil || len(found) != 1 || found[0].Name() != r.Name() {
			t.Errorf("RowsOf(%q) = %v, %v; want the row", r.Name(), found, err)
		}
	}
	if _, err := RowsOf("P0"); err == nil {
		t.Error("RowsOf found a row that there isn't")
	}
}
