package main

// multicastBlock is how many events a round sends through Spillway's ring, whose capacity it is: so nobody is lapped.
// It is the best of 256, 512, 1024, 2048 and 8192 with 100 readers and more, and as good as any with fewer; see
// BenchmarkMulticast.
const multicastBlock = 8192

// channelCapacity is the best for Spillway's channels of 32, 128, 512 and 1024; see BenchmarkChannels. A full one is
// pruned, so the writer waits for all readers after as many events: that is seldom where the capacity is large, but
// many large ones don't fit the caches.
func channelCapacity(readers int) int {
	if readers < 100 {
		return 1024
	}
	return 32
}
