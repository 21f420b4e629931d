/*
Following: two appenders commit events to a log and broadcast them, one at a time, as by a Journal; a follower is pushed what
is in its region, into a feed that hardly holds anything, is pruned, drains, reads the log, subscribes, reads up to the
boundary and goes live, again and again. Retention moves on, and somebody may cancel.

Whether an event is in the region is decided when it is made. The follower may subscribe however far behind it is, and look
into the log at any time; which of that it does in the code is a matter of cost. A broadcast that is under way when the follower
subscribes may reach it or not. That of the last event may never come, as after a crash between append and broadcast: the look finds it, unless
retention was quicker. Of what its feed holds the follower takes one event, or all at once.
*/

#ifndef EVENTS
#define EVENTS 4
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif

#define NONE   0
#define LIVE   1
#define PRUNED 2

/* The log. */
byte committed, first;
byte ours;   /* a set of sequences: events that are in the region */
bool locked; /* the Journal's */
byte lost;   /* a set of sequences: that of the event that nobody broadcasts */

/* The subscription and its feed. */
byte sub, generation, missed;
byte held, queue[CAPACITY];

byte appending = 2;
bool cancelled;

/* What the code does not have: a set of sequences that were handed out. */
byte handed;

#define isOurs(e)    (ours >> (e) & 1)
#define below(e)     ((1 << (e)) - 1)
#define gapBelow(e)  (ours & below(e) & ~handed)

/* Fanout.Broadcast: whom it finds, and what becomes of the offer */
inline broadcast(e) {
	if
	:: atomic { isOurs(e) && sub != NONE -> g = generation; found = true }
	:: atomic { !(isOurs(e) && sub != NONE) -> found = false }
	fi;
	if
	:: atomic { found && sub == LIVE && g == generation ->
			if
			:: held < CAPACITY -> queue[held] = e; held++
			:: held == CAPACITY -> sub = PRUNED; missed = e
			fi
		}
#ifdef TWIN_RESUME_AT_NEWEST
	:: atomic { found && sub == PRUNED && g == generation ->
			if
			:: held < CAPACITY -> queue[held] = e; held++
			:: held == CAPACITY -> missed = e
			fi
		}
	:: atomic { !found || sub == NONE || g != generation -> skip }
#else
	:: atomic { !found || sub != LIVE || g != generation -> skip }
#endif
	fi;
	found = false; g = 0
}

/* Log.Append */
inline commit() {
	atomic {
		e = committed;
#ifndef TWIN_PUBLISH_BEFORE_DURABLE
		if
		:: ours = ours | 1 << e
		:: skip
		fi;
#endif
		committed++
	}
}

proctype Appender(byte times) {
	byte e, g;
	bool found;

	do
	:: atomic { times == 0 -> break }
	:: atomic { times > 0 && !locked -> locked = true; times-- };
#ifdef TWIN_PUBLISH_BEFORE_DURABLE
		atomic { e = committed; ours = ours | 1 << e };
		broadcast(e);
		commit();
#else
		commit();
#ifdef TWIN_NO_JOURNAL
		locked = false;
#endif
		if
		:: broadcast(e)
		:: atomic { committed == EVENTS && e == EVENTS - 1 -> lost = 1 << e }
		fi;
#endif
#ifndef TWIN_NO_JOURNAL
		locked = false
#else
		skip
#endif
	od;
	e = 0;
	appending--
}

proctype Retention(byte times) {
	do
	:: times == 0 -> break
	:: atomic { times > 0 -> times--;
			if
			:: first < committed -> first++
			:: skip
			fi
		}
	od
}

proctype Canceller() {
	if
	:: cancelled = true
	:: skip
	fi
}

/* an Item is handed out */
inline hand(e) {
	assert(e < committed); /* what could be lost */
	assert(!(handed >> e & 1)); /* twice */
	assert(!gapBelow(e));
	handed = handed | 1 << e;
	next = e + 1
}

/* Follower.pull, of one sequence */
inline read() {
	atomic {
		if
		:: first <= next ->
			if
			:: next == committed
			:: next < committed && isOurs(next) -> hand(next)
			:: next < committed && !isOurs(next) -> next++
			fi
		:: first > next && reached > next && reached >= first -> next = reached
#ifdef TWIN_JUMP_TO_FIRST
		:: first > next && !(reached > next && reached >= first) -> next = first
#else
		:: first > next && !(reached > next && reached >= first) && joined -> boundary = 0
		:: first > next && !(reached > next && reached >= first) && !joined -> goto over /* CompactedError */
#endif
		fi
	}
}

/* the first that is in the feed */
inline take() {
	e = queue[0];
	held--;
#if CAPACITY > 1
	queue[0] = queue[1];
	queue[1] = 0
#endif
}

/* Follower.admit, of one event */
inline admit() {
#ifdef TWIN_DUPLICATES_KEPT
	hand(e)
#else
	if
	:: e >= next -> hand(e)
	:: e < next
	fi
#endif
}

/* it has looked, or can't: then what nobody broadcast may be missing */
#ifdef TWIN_NEVER_LOOKS
#define settled true
#else
#define settled (boundary == committed || first > next)
#endif
#define passed (first > next -> lost : 0)

proctype Follower() {
	byte next, boundary, reached, e;
	bool behind = true, joined;

catchingUp:
	if
	:: cancelled -> goto over
	:: !cancelled && next < committed -> read(); goto catchingUp
	:: !cancelled -> skip
	fi;

	/* Follower.join */
#ifdef TWIN_BOUNDARY_BEFORE_REGISTER
	boundary = committed;
#endif
	atomic { sub = LIVE; held = 0; generation++ };
#ifndef TWIN_BOUNDARY_BEFORE_REGISTER
	boundary = committed;
#endif
joining:
	do
	:: cancelled -> goto over
	:: !cancelled && next < boundary -> read()
	:: next >= boundary -> break
	od;
	if
	:: atomic { !joined -> joined = true;
			if
			:: behind -> behind = false; assert(!gapBelow(boundary)) /* CaughtUp */
			:: !behind
			fi
		}
	:: joined
	fi;

live:
	if
	:: cancelled -> goto over
	:: atomic { !cancelled && held > 0 -> take(); admit(); e = 0 };
		goto live
#if CAPACITY > 1
	:: atomic { !cancelled && held > 1 -> take(); admit(); take(); admit(); e = 0 };
		goto live
#endif
#ifndef TWIN_NEVER_LOOKS
	:: atomic { !cancelled && held == 0 && sub == LIVE && boundary < committed && first <= next -> boundary = committed }; /* quiet for a while */
		goto joining
#endif
	:: atomic { !cancelled && held == 0 && sub == LIVE && appending == 0 && settled -> /* it waits for what doesn't come */
			assert(!(gapBelow(committed) & ~passed))
		};
		goto over
#ifdef TWIN_MARK_BEFORE_DRAIN
	:: atomic { !cancelled && sub == PRUNED && !behind -> skip };
		assert(held == 0); /* FellBehind */
		behind = true;
		goto live
	:: atomic { !cancelled && sub == PRUNED && behind && held == 0 -> skip }
#else
	:: atomic { !cancelled && sub == PRUNED && held == 0 -> behind = true } /* FellBehind, if it wasn't */
#endif
	fi;

	/* Follower.park */
#ifdef TWIN_RESUME_AT_NEWEST
	atomic { next = missed; sub = NONE };
#else
	atomic { reached = missed; sub = NONE };
#endif
	joined = false;
	boundary = 0;
	goto catchingUp;
over:
	sub = NONE
}

init {
	atomic {
		run Appender(EVENTS / 2);
		run Appender(EVENTS - EVENTS / 2);
		run Retention(2);
		run Canceller();
		run Follower()
	};
	_nr_pr == 1
}
