/*
Retiring: a writer broadcasts to two open subscriptions, and either offer may raise the warning that a
buffer fills, or be refused; both are cancelled, and Wait follows. What is warned of is on the retire list
before it ends.
*/

#define WARNS
#define WAITS
#define OPENED_EPOCH skip

bool passed; /* the barrier */

#include "protocol.pml"
#include "broadcast.pml"
#include "reaper.pml"

/* Subscription.Cancel of both, and Fanout.Wait */
proctype Canceller() {
	byte b, over;

	end(0, b);
	if
	:: b -> kick()
	:: !b
	fi;
	end(1, b);
	if
	:: b -> kick()
	:: !b
	fi;
	atomic { /* overNow */
		over = (registered[0] && isOver(state[0]) -> 1 : 0) | (registered[1] && isOver(state[1]) -> 2 : 0)
	};
	assign(BARRIER);
	passed;
#ifndef TWIN_BARRIER_ALONE
	!(over & 1) || dones[0];
	!(over & 2) || dones[1];
#endif
	assert(dones[0] && dones[1]) /* both had ended before Wait */
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
		run Canceller()
	};
	atomic {
		_nr_pr == 1;
		settled();
		assert(closes[1] == 1 && passed)
	}
}
