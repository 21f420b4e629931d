/*
Sole: two readers begin, read and end, while two writers publish an event each; one that is alone is woken by the writer.
The first wants one event, the other both.
*/

#define SOLE
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
		assert(waker == NONE && !wakes && sole == 0)
	}
}
