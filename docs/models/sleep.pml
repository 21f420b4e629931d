/*
The list of the multicast Readers that wait, which sleeping.pml, listing.pml and sole.pml share. Each Reader waits in its
own Lot. A waker runs while a round is wanted.

The list has one shard; with -DSHARDS=2 the readers are on one each. The order of the places is fixed: nothing here
looks at who claimed first.

With SOLE the Readers begin and end, and one that is alone is woken by the writer. Without it none is alone: there are
others, who wait for nothing.
*/

#ifndef SHARDS
#define SHARDS 1
#endif

/* What the waker does. */
#define NONE   0
#define ROUND  1
#define AGAIN  2

/* The ring. */
bool published[4];

/* The list: numbers of readers and 1, or 0. */
bool asleep;
byte waker;
byte head[SHARDS];
byte next[2];
bool listed[2];
byte shard[2]; /* of each reader */

/* The Lots, of one reader each. */
bool parked[2], token[2];

#ifdef SOLE
bool reads[2]; /* Ring.readers */
byte sole;     /* the number of one and 1, or 0 */
#endif

bool wakes; /* the goroutine that is the waker runs */

/* sleep.round */
inline round(b) {
	atomic { b = waker; waker = AGAIN };
	if
	:: atomic { b == NONE -> assert(!wakes); wakes = true }
	:: atomic { b != NONE -> b = NONE }
	fi
}

#ifdef SOLE
/* Ring.setSole, and what comes before it under Ring.mu */
inline setSole(me, is) {
	atomic {
		reads[me] = is;
		if
		:: reads[0] == reads[1] -> sole = 0
		:: reads[0] && !reads[1] -> sole = 1
		:: !reads[0] && reads[1] -> sole = 2
		fi
	}
}

/* Lot.Wake of the sole Reader */
inline one(b) {
	if
	:: parked[b - 1] -> token[b - 1] = true
	:: !parked[b - 1]
	fi;
	b = 0
}
#endif

/* sleep.wake; b is a variable of the caller's, and 0 */
inline rouse(b) {
#ifdef TWIN_SOLE_FIRST
	b = sole;
#endif
	if
	:: !asleep
	:: asleep ->
		if
		:: atomic { asleep -> asleep = false };
#ifndef SOLE
			round(b)
#else
			if
#ifdef TWIN_SOLE_FIRST
			:: b > 0 -> one(b)
			:: b == 0 -> round(b)
#else
			:: atomic { sole > 0 -> b = sole };
				one(b)
			:: sole == 0 -> round(b)
#endif
			fi
#endif
		:: !asleep
		fi
	fi
#ifdef TWIN_SOLE_FIRST
	; b = 0
#endif
}

/* sleep.wakeAll */
proctype Waker() {
	byte i, r, n;

end:
	do
	:: atomic { !wakes && _nr_pr == 2 -> break } /* nobody is left to want one */
	:: wakes ->
#ifndef TWIN_TAKES_THEN_ROUND
		waker = ROUND;
#endif
		do
		:: atomic { i < SHARDS -> r = head[i]; head[i] = 0; i++ };
			do
			:: r == 0 -> break
			:: r > 0 ->
#ifdef TWIN_UNLISTED_FIRST
				listed[r - 1] = false;
				atomic { n = next[r - 1]; next[r - 1] = 0 };
#else
				atomic { n = next[r - 1]; next[r - 1] = 0 };
				listed[r - 1] = false;
#endif
				if /* Lot.Wake */
				:: parked[r - 1] -> token[r - 1] = true
				:: !parked[r - 1]
				fi;
				atomic { r = n; n = 0 }
			od
		:: atomic { i == SHARDS -> i = 0; break }
		od;
#ifdef TWIN_TAKES_THEN_ROUND
		waker = ROUND;
#endif
		if
#ifdef TWIN_ENDS_UNASKED
		:: atomic { true -> waker = NONE; wakes = false }
#else
		:: atomic { waker == ROUND -> waker = NONE; wakes = false }
		:: waker != ROUND
#endif
		fi
	od
}

/* Offer, to the places from n on, which it has claimed */
proctype Writer(byte n, end) {
	byte b;

	do
	:: n == end -> break
	:: n < end ->
#ifdef TWIN_ROUSES_BEFORE_PUBLISH
		rouse(b);
		published[n] = true;
#else
		published[n] = true;
		rouse(b);
#endif
		n++
	od
}

inline says() {
	if
	:: asleep
	:: !asleep -> asleep = true
	fi
}

/* sleep.list */
inline list(me) {
#ifdef TWIN_ASLEEP_FIRST
	says();
#endif
	if
	:: listed[me]
	:: atomic { !listed[me] -> listed[me] = true };
		atomic { next[me] = head[shard[me]]; head[shard[me]] = me + 1 }
	fi;
#ifndef TWIN_ASLEEP_FIRST
	says()
#else
	skip
#endif
}

/* Next, until it has read so many */
proctype Reader(byte me, wants) {
	byte place;
	bool waits; /* it has said that it is parked */

#if defined(SOLE) && !defined(TWIN_SOLE_LATE)
	setSole(me, true);
#endif
	do
	:: atomic { place == wants && !waits -> break }
	:: atomic { place < wants || waits -> skip };
		if
		:: published[place] -> /* look: read */
			goto got
		:: !published[place] ->
			list(me);
			if
#ifdef TWIN_LISTED_AFTER_LOOK
			:: false -> goto got
			:: true ->
#else
			:: published[place] -> goto got
			:: !published[place] ->
#endif
				if
				:: atomic { !waits -> waits = true }; /* Lot.Await */
					parked[me] = true
				:: waits ->
#ifdef TWIN_SOLE_LATE
					setSole(me, true);
#endif
					if
					:: atomic { token[me] -> token[me] = false }
					fi
				fi
			fi
		fi;
		goto again;
got:
		place++;
		if
		:: atomic { waits -> waits = false };
			parked[me] = false
		:: !waits
		fi;
again:
		skip
	od;
	place = 0;
	parked[me] = false
#ifdef SOLE
	; setSole(me, false) /* Reader.end */
#endif
}
