/*
Lapping: two writers offer five events to a ring of two windows of two places, and one reader reads it, from the first
place or from what is next when it comes: in mid-window, or where a writer has yet to publish.
*/

#define EVENTS 5
#define PLACES 2 /* of a window */

#include "windows.pml"

init {
	byte i;

	atomic {
		opened();
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		if
		:: run Reader(1, 2, false)
		:: run Reader(1, 2, true)
		fi
	};
	_nr_pr == 1
}
