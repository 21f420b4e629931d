package main

// multicastBlock is how many events a round sends through Spillway's ring, whose capacity it is: so nobody is lapped.
// Readers that have it all are parked and have to be woken for the next one, some 300 ns each: with 100 of them that is 0.7 ns
// of a delivery where a block has 512 events, and nothing where it has 8192. That the ring is then larger than the second-level
// cache costs less, since a reader comes to its events one after the other. With 100 readers a delivery takes 4.2 ns by
// blocks of 512, 3.1 of 1024, 2.6 of 2048, 2.4 of 4096 and 2.25 of 8192; see BenchmarkMulticast. How many a reader takes at
// once is bench's to say, in stream.go.
const multicastBlock = 8192

// multicastBlocks is how many of them are a round, so that it takes about as long as the peers' do. One block of 100 readers is over
// after two milliseconds, and what the peer in the turn before left behind tells: a delivery takes 2.2 ns after dustin, and 3.3 after
// cskr, whose goroutines wake each other one by one, as if all ran on one processor, where they have probably all been put.
// By eight blocks it takes 2.2 after either.
func multicastBlocks(readers int) int {
	switch {
	case readers < 1_000:
		return 8
	case readers < 10_000:
		return 4
	default:
		return 1
	}
}

// channelCapacity is the best for Spillway's channels of 32, 128, 512, 2048 and 8192; see BenchmarkChannels. A full one is
// pruned, so the writer waits for all readers after as many events: that is seldom where the capacity is large, but
// many large ones don't fit the caches.
func channelCapacity(readers int) int {
	if readers < 100 {
		return 2048
	}
	return 32
}
