/*
Sleeping: two writers publish an event each into a multicast ring, and wake; two readers list themselves and wait. The
first wants one event, the other both.
*/

#include "sleep.pml"

init {
	atomic {
		shard[1] = SHARDS - 1;
		run Waker();
		run Writer(0, 1);
		run Writer(1, 2);
		run Reader(0, 1);
		run Reader(1, 2)
	};
	atomic {
		_nr_pr == 1;
		assert(waker == NONE && !wakes)
	}
}
