package report

import (
	"math"
	"slices"
	"strconv"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

// short prints a count: 1k, 10M.
func short(v float64) string { return shortened(v, digits) }

func shortened(v float64, print func(float64) string) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.of {
			return print(v/u.of) + u.name
		}
	}
	return print(v)
}

// digits prints three digits that count, and no more zeros than it must: for places of an axis.
func digits(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// three prints three digits, whatever they are: for what was measured.
func three(v float64) string {
	switch {
	case v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// duration prints nanoseconds in a unit that suits them.
func duration(ns float64, print func(float64) string) string {
	switch {
	case ns >= 1e9:
		return print(ns/1e9) + " s"
	case ns >= 1e6:
		return print(ns/1e6) + " ms"
	case ns >= 1e3:
		return print(ns/1e3) + " µs"
	}
	return print(ns) + " ns"
}

// size prints a size.
func size(v float64) string {
	if v >= 1024 {
		return digits(v/1024) + " KiB"
	}
	return digits(v) + " B"
}

// inUnit prints a figure of a curve.
func inUnit(u bench.Unit, v float64, print func(float64) string) string {
	if u == bench.PerSecond {
		return shortened(v, print) + "/s"
	}
	return duration(v, print)
}

// figureOf prints what a row's figures are.
func figureOf(v float64, unit string) string {
	switch unit {
	case "ns":
		return duration(v, three)
	case "ns/delivery":
		return duration(v, three) + " a delivery"
	case "B/subscription":
		return judge.Digits(v) + " B a subscription"
	}
	return judge.Digits(v) + " " + unit
}

// round takes away what binary fractions add.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

func sortedUnique(vs []float64) []float64 {
	slices.Sort(vs)
	return slices.Compact(vs)
}
