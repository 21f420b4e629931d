/*
Opening: one subscription is open, another is being made while it is cancelled and the Fanout closed; a
writer broadcasts twice. Cancel may come at any time, from inside Attach on, before the subscription is
registered, and before it is opened.
*/

#define COUNTS
#define CLOSES
#define OPENED_EPOCH skip

short live;       /* opened and not over; far below zero after Close */
bool closed;
bool returned[2]; /* by Subscribe, without an error */

#include "protocol.pml"
#include "broadcast.pml"
#include "reaper.pml"

/* Fanout.Subscribe, from Attach on */
proctype Subscriber() {
	byte b;

	if
	:: atomic { !closed -> registered[1] = true }; /* enroll */
#ifdef TWIN_OPEN_BEFORE_LIVE
		atomic { b = state[1]; state[1] = state[1] | OPENED };
		live++;
#else
		live++; /* open */
		atomic { b = state[1]; if :: phase(b) == LIVE -> state[1] = state[1] | OPENED :: phase(b) != LIVE fi };
#endif
		if
		:: atomic { phase(b) == LIVE -> returned[1] = true; b = 0 }
		:: phase(b) != LIVE ->
			live--; /* before it is opened: then its canceller may have it counted out */
			atomic { b = state[1] & READY; state[1] = state[1] | OPENED };
			put(1, b)
		fi
	:: atomic { closed -> sink[1] = false }; /* refuse */
		if
		:: atomic { phase(state[1]) == LIVE -> turn(1, CANCELLED) };
			atomic { said[1] = true; state[1] = state[1] | READY }
		:: phase(state[1]) != LIVE
		fi;
		atomic { b = state[1] & READY; state[1] = state[1] | OPENED };
		if
		:: atomic { b -> state[1] = state[1] | RETIRED; dones[1]++; b = 0 } /* speak, closeDone */
		:: !b
		fi
	fi;
	if
	:: b -> kick()
	:: !b
	fi
}

/* Subscription.Cancel */
proctype Canceller() {
	byte b;

	end(1, b);
	if
	:: b -> kick()
	:: !b
	fi
}

/* Fanout.Close */
proctype Closer() {
	closed = true;
	live = live - FAR;
	assign(CLOSE)
}

init {
	atomic {
		state[0] = OPENED;
		registered[0] = true;
		sink[0] = true;
		sink[1] = true;
		returned[0] = true;
		live = 1;
		run Writer(1, 2);
		run Subscriber();
		run Canceller();
		run Closer()
	};
	atomic {
		_nr_pr == 1;
		settled();
		assert(live == -FAR)
	}
}
