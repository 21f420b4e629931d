package bench

// Null compares a workload with itself: what its ratio differs from 1, and how widely it is spread, is what this machine makes
// of equal code. It is no row of the targets'.
func Null() Row {
	const subs, capacity = 100, 16
	return Row{
		ID: "null", Work: "broadcast to 100 channels, on both sides", Against: "itself", Unit: "ns", Deliveries: subs, Version: 1,
		Open: func(h Host) Sides {
			one, other := toChannels(h, subs, capacity).Subject, toChannels(h, subs, capacity).Subject
			other.Name = "itself"
			return Sides{Subject: one, Baseline: other}
		},
	}
}
