/*
Listing: the writer of the first place may come after that of the next two, each of which wakes a reader that finds
nothing yet; and a Reader that has ended, of many, has the list cleared.
*/

#include "sleep.pml"

/* Reader.end, where enough that have ended are on the list */
proctype Ender() {
	byte b;

	round(b)
}

init {
	atomic {
		run Waker();
		run Writer(0, 1);
		run Writer(1, 3);
		run Reader(0, 1);
		run Ender()
	};
	atomic {
		_nr_pr == 1;
		assert(waker == NONE && !wakes)
	}
}
