/*
Grace: two subscriptions are open; two writers broadcast once each, and any offer may be refused; one subscription
is cancelled, and Close ends what is left. With -DTIMES=2 one writer broadcasts twice: nothing else comes to
light, and it takes four times as long.
*/

#ifndef TIMES
#define TIMES 1
#endif
#define CLOSES
#define MISSES
#define OPENED_EPOCH skip

#include "protocol.pml"
#include "broadcast.pml"
#include "reaper.pml"

/* Subscription.Cancel */
proctype Canceller() {
	byte b;

	end(0, b);
	if
	:: b -> kick()
	:: !b
	fi
}

/* Fanout.Close */
proctype Closer() {
	assign(CLOSE)
}

init {
	atomic {
		state[0] = OPENED;
		state[1] = OPENED;
		registered[0] = true;
		registered[1] = true;
		sink[0] = true;
		sink[1] = true;
		run Writer(1, TIMES);
		run Writer(2, 1);
		run Canceller();
		run Closer()
	};
	atomic {
		_nr_pr == 1;
		settled();
		assert(closes[1] == 1)
	}
}
