// Package bench holds the baselines that Spillway is measured against, the workloads, and the way
// two things are compared.
//
// Each row of the project's targets (P1, P5, P7b ...) is one Benchmark, in a file named for it:
//
//	go test ./bench -bench . -benchmem
//	go test ./bench -bench 'P1/subs=10$'
//	go test ./bench -bench 'Curves/writers'    scaling, for spillway bench to draw
//	go test ./bench -bench Latency             how long after it was due an event is there
//
// A row prints one line. ns/op is what one broadcast (or one subscription, where the row is about
// those) costs Spillway, ns-BASELINE the same for the baseline it is held against, x-BASELINE the
// ratio, target what the ratio may be at most, and rounds how many rounds the medians are of. Where something
// is delivered, ns/delivery and deliveries/s are Spillway's for each that gets it. B/op and
// allocs/op are per round, not per broadcast: thousands of broadcasts, and the draining, must
// allocate nothing for them to read 0. P7 and P7b, which allocate by nature, have there what one
// subscription does. P8 counts objects, P9 prints bytes a subscription (B/subscription).
//
// # Promises
//
//   - Subject and baseline run in turns within one process, never one after the other (A B, B A,
//     A B ...), and a ratio is the median of those of at least seven rounds, whatever -benchtime says.
//   - What is timed is the writer's own loop. Draining and checking happen between timed sections.
//   - Every round checks that nobody was pruned, that as much was accepted as the workload asks
//     for, that as much was drained as was accepted, and that the sequences add up. A row that breaks one fails.
//   - B/op and allocs/op are printed of rows that must not allocate, and of those that by nature do. Of others they would be
//     what the runtime happened to make for goroutines that waited, another number each time.
//   - No row fails for being slow. It prints the ratio beside the target; whoever reads the output judges.
//
// # What the caller owes
//
// A quiet machine. Ratios of interleaved rounds outlast noise that is the same for both sides; a
// neighbour that fills the memory bus isn't.
//
// # What this is not
//
// It is no judgement of peers: they are compared in a module of their own. Baselines are not meant
// for use either. They leave out what makes Spillway worth its cost (nobody can leave a RawOffer).
package bench
