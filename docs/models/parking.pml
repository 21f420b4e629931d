/*
Parking: two writers make events visible, in the order of their numbers, and wake; two readers of the one Lot
take them or wait, one of them with a context that ends at any time, and with other things to do once it has waited for
an event; then the Lot ends, with or without events left.

A writer claims a number and publishes it later, so that an event may be there and not visible yet: the one
before it is not. What a reader's take does is one step, since readers have a mutex among themselves.
*/

#ifndef EVENTS
#define EVENTS 4
#endif
#define READERS 2

/* The buffer. */
byte tail, head;
bool ready[EVENTS];

/* The Lot. */
byte parked;
bool wake, over;

/* What the code does not have, and the properties speak of. */
byte writing = 2; /* writers that are not done */
byte reading = READERS;
bool done;        /* the first reader's context */

#define visible (head < EVENTS && ready[head])

/* Lot.hand: a token that is there already stays the only one */
inline hand() {
	wake = true
}

/* Lot.Wake */
inline rouse() {
	if
	:: parked > 0 -> hand()
	:: parked == 0
	fi
}

/* Offer, so many times */
proctype Writer(byte times) {
	byte n;

	do
	:: atomic { times == 0 -> writing--; n = 0; break }
	:: atomic { times > 0 -> times--; n = tail; tail++ };
#ifdef TWIN_WAKE_BEFORE_PUBLISH
		rouse();
		ready[n] = true
#else
		ready[n] = true;
		rouse()
#endif
	od
}

/* Lot.uncount */
inline uncount() {
	if
	:: atomic { parked > 1 -> parked-- };
		hand()
	:: atomic { parked == 1 -> parked-- }
	fi
}

/* A look for the end, by a reader that is counted in */
inline sees_end() {
	if
	:: over ->
#ifdef TWIN_END_KEPT
		parked--;
#else
		uncount();
#endif
		goto last
	:: !over
	fi
}

/* Next, until it says that the Lot has ended, or that the context has; one with a context may not come back */
proctype Reader(bool ends) {
	do
	:: atomic { visible -> head++ } /* the first look */
	:: !visible -> /* Missed, and so below */
		if
		:: over -> goto last
		:: atomic { ends && done -> goto out }
		:: atomic { !over && !(ends && done) -> skip }
		fi;
#ifdef TWIN_PARKED_AFTER_LOOK
		if
		:: atomic { visible -> head++; goto again }
		:: !visible -> parked++
		fi;
		goto waits;
#else
		parked++;
#endif
		do
		:: atomic { visible -> head++; break }
		:: !visible ->
waits:
#ifndef TWIN_END_BEFORE_COUNTED
			sees_end();
#endif
			if /* it sleeps */
			:: atomic { ends && done -> skip };
				uncount();
				goto out
			:: atomic { wake -> wake = false }
			fi
#ifdef TWIN_END_BEFORE_COUNTED
			; sees_end()
#endif
		od;
#ifdef TWIN_TOKEN_KEPT
		parked--;
#else
		uncount(); /* Found */
#endif
again:
		if
		:: true
		:: ends -> goto out
		fi
	od;
last:
#ifndef TWIN_NO_LAST_LOOK
	if
	:: atomic { visible -> head++; goto last } /* and Next is called once more */
	:: !visible
	fi;
#endif
	assert(head == EVENTS); /* nothing is left when a reader is told of the end */
out:
	reading--
}

/* The end of the first reader's context. */
proctype Canceller() {
	done = true
}

/* Lot.End: the grace is over, so each Offer has returned. It may come early, with events left, or not before all
   are taken: then no reader may wait for it that could have taken one. */
proctype Closer() {
	bool early;

	if
	:: true -> early = true
	:: true
	fi;
	atomic { writing == 0 && (early || head == EVENTS) -> early = false };
#ifdef TWIN_TOKEN_BEFORE_END
	hand();
	over = true
#else
	over = true;
	hand()
#endif
}

init {
	atomic {
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		run Reader(true);
		run Reader(false);
		run Canceller();
		run Closer()
	};
	atomic {
		_nr_pr == 1;
		assert(!parked && !reading && head == EVENTS)
	}
}
