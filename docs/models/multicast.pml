/*
Multicast: two writers offer three events to a ring of two windows of one place, and two readers read it, one from its
first place, the other from what is next when it comes. The third event opens the first window anew.
*/

#define EVENTS 3
#define PLACES 1 /* of a window */

#include "windows.pml"

init {
	byte i;

	atomic {
		opened();
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		run Reader(1, 2, false);
		run Reader(2, 1, true)
	};
	_nr_pr == 1
}
