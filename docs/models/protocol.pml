/*
The protocol of grace and ending, which the models in this folder share: its words and what several parties do
to them. broadcast.pml and reaper.pml are the two sides of it, and each model says who takes part. README.md
maps each step to the function it stands for.

One statement, or one atomic block, is one access to memory that others can see, with what only its owner
can see around it. A compare-and-swap loop is one step: its failed tries leave no trace. A critical section of
Fanout.mu is one step: no broadcast takes that mutex. Go's atomics are sequentially consistent, and so is the
checker.

A twin is this text with one TWIN_ name defined. The checker must find what that breaks.
*/

/* A state word is a phase and flags. One phase stands for both kinds of prune. */
#define LIVE      0
#define CANCELLED 1
#define PRUNED    2
#define RETIRED   3
#define PHASE     3
#define OPENED    4
#define READY     8
#define QUEUED    16
#define LAGGING   32
#define WARNED    64

#define phase(w)     ((w) & PHASE)
#define isOver(w)    (phase(w) == CANCELLED || phase(w) == PRUNED)
#define offerable(w) (((w) & (PHASE | OPENED)) == OPENED)

/* A list of chores is their numbers, two bits each, the oldest lowest. */
#define CLOSE   1
#define BARRIER 2

#define FAR 16 /* what Close takes from live */

/* The grace. */
byte epoch;
byte mark[2];
bool parked, wake;

#ifdef TWIN_ONE_COUNT
#define word(e) mark[0]
#else
#define word(e) mark[(e) & 1]
#endif

/* The Fanout. */
bool reaping;
byte retired; /* the head of the retire list: a subscription's number and 1, or 0 */
byte next[2];
byte chores;

/* The subscriptions. */
byte state[2];
bool registered[2];
bool sink[2]; /* it has one, not closed yet; what Offer is called through */
bool said[2]; /* why it ended is written */

/* What the code does not have, and the properties speak of. */
bool ended[2];  /* someone has */
byte closes[2]; /* calls of its sink's Close */
byte dones[2];  /* closings of its Done */
#ifdef MISSES
byte ahead[2]; /* the broadcasts inside that are still to come past it */
byte owed[2];  /* those of them that were so at its prune: each is to tell it of its event */
#endif

inline kick() {
	if
	:: atomic { !reaping -> reaping = true; run Reaper() }
	:: reaping
	fi
}

/* enqueue, if it is due, but for the kick; due is a variable, and says then whether there is one to make */
inline put(s, due) {
	if
	:: atomic { due && !(state[s] & QUEUED) -> state[s] = state[s] | QUEUED };
		atomic { next[s] = retired; retired = s + 1; due = 1 }
	:: atomic { !due || (state[s] & QUEUED) -> due = 0 }
	fi
}

inline enqueue(s) {
	if
	:: atomic { !(state[s] & QUEUED) -> state[s] = state[s] | QUEUED };
		atomic { next[s] = retired; retired = s + 1 };
		kick()
	:: state[s] & QUEUED
	fi
}

inline assign(c) {
	chores = (chores -> chores | c << 2 : c);
	kick()
}

/* Subscription.turn, once the phase was seen live in the same step */
inline turn(s, p) {
	assert(!ended[s]);
	ended[s] = true;
	state[s] = state[s] | p
}

/* node.end; b is a variable of the caller's, and 0 */
inline end(s, b) {
	if
	:: phase(state[s]) != LIVE
#ifdef TWIN_LOOK_THEN_TURN
	:: phase(state[s]) == LIVE ->
		atomic { b = state[s] & OPENED; turn(s, CANCELLED) };
#else
	:: atomic { phase(state[s]) == LIVE -> b = state[s] & OPENED; turn(s, CANCELLED) };
#endif
#ifdef COUNTS
		live = live - (b -> 1 : 0);
#endif
#ifdef TWIN_LATE_CAUSE
		atomic { b = state[s] & OPENED; state[s] = state[s] | READY };
		said[s] = true;
#else
		atomic { said[s] = true; b = state[s] & OPENED; state[s] = state[s] | READY };
#endif
#ifdef TWIN_BOTH_ENQUEUE
		b = 1;
#endif
		put(s, b)
	fi
}
