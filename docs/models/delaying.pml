/*
Delaying: two writers broadcast once each to two open subscriptions, which somebody cancels. Somebody else's
broadcast begins when all that ended is in the reaper's hands, and stays inside until that is done: a
broadcast that begins later delays no end. What it waits for is the property: if an end were delayed, all
would stand still.
*/

#define OPENED_EPOCH last = (due[0] || phase(state[0]) == RETIRED) && (due[1] || phase(state[1]) == RETIRED)

bool last; /* the open epoch was opened when nothing was left to end */

#include "protocol.pml"
#include "broadcast.pml"
#include "reaper.pml"

/* Subscription.Cancel of both */
proctype Canceller() {
	byte b;

	end(0, b);
	if
	:: b -> kick()
	:: !b
	fi;
	end(1, b);
	if
	:: b -> kick()
	:: !b
	fi
}

proctype Latecomer() {
	byte e;

	atomic { last -> e = epoch & 1; word(e)++ };
	dones[0] && dones[1];
	atomic { word(e)--; assert(!parked) } /* leave: nobody is left to be woken */
}

init {
	atomic {
		state[0] = OPENED;
		state[1] = OPENED;
		registered[0] = true;
		registered[1] = true;
		sink[0] = true;
		sink[1] = true;
		run Writer(1, 1);
		run Writer(2, 1);
		run Canceller();
		run Latecomer()
	};
	atomic {
		_nr_pr == 1;
		settled();
		assert(closes[1] == 1)
	}
}
