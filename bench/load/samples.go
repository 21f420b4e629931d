package main

import (
	"slices"
	"time"
)

// A sample is what a process has at one time.
type sample struct {
	at          time.Time
	rss         float64
	descriptors int
}

// A watch takes samples of a server.
type watch struct{ samples []sample }

// run takes one every so often, until over.
func (w *watch) run(over <-chan struct{}, s *server, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return nil
		case now := <-ticker.C:
			rss, err := s.rss()
			if err != nil {
				return err
			}
			n, err := s.descriptors()
			if err != nil {
				return err
			}
			w.samples = append(w.samples, sample{now, rss, n})
		}
	}
}

// A trend is how samples lie, once the first half is left out.
type trend struct {
	n                   int
	median, least, most float64
	drift               float64 // by how much they grow from the first to the last, as the median of all slopes has it
}

// share is the drift as a part of the median.
func (t trend) share() float64 {
	if t.median == 0 {
		return 0
	}
	return t.drift / t.median
}

// mostPairs is how many samples the slopes are of, at most: those in between are left out.
const mostPairs = 300

func steadied(samples []sample, of func(sample) float64) (t trend) {
	samples = samples[len(samples)/2:]
	if len(samples) == 0 {
		return t
	}
	values := make([]float64, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	t.n, t.median, t.least, t.most = len(values), values[len(values)/2], values[0], values[len(values)-1]
	step := 1 + len(samples)/mostPairs
	var slopes []float64 // a second
	for i := 0; i < len(samples); i += step {
		for j := i + step; j < len(samples); j += step {
			if apart := samples[j].at.Sub(samples[i].at).Seconds(); apart > 0 {
				slopes = append(slopes, (of(samples[j])-of(samples[i]))/apart)
			}
		}
	}
	if len(slopes) > 0 {
		slices.Sort(slopes)
		t.drift = slopes[len(slopes)/2] * samples[len(samples)-1].at.Sub(samples[0].at).Seconds()
	}
	return t
}

// tenths are the medians of each tenth of the samples.
func tenths(samples []sample, of func(sample) float64) (medians []float64) {
	for i := range 10 {
		part := samples[i*len(samples)/10 : (i+1)*len(samples)/10]
		if len(part) == 0 {
			continue
		}
		values := make([]float64, 0, len(part))
		for _, s := range part {
			values = append(values, of(s))
		}
		slices.Sort(values)
		medians = append(medians, values[len(values)/2])
	}
	return medians
}
