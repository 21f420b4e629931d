/*
The windows of a multicast ring, which multicast.pml and lapping.pml share: what a writer's Offer and a reader's
call do. A reader that finds nothing waits until an Offer has come to its end; who sleeps how is not in it. A claim is
one step; what is looked at before it where events have sequences is in order.pml.

Each window that is made has a number of its own here, so that a dead one is seen if it is used. An event is its
place's number, and it is written and copied in two steps.
*/

#define WINDOWS 2
#ifdef TWIN_WINDOWS_FULL
#define CAPACITY (WINDOWS * PLACES)
#else
#define CAPACITY ((WINDOWS - 1) * PLACES)
#endif
#define MADE 6 /* windows that can be made */

/* A window's word: the number and WINDOWS, of 16; the mode, of 4; how many writers are inside, of 4. */
#define OPEN    0
#define CLAIMED 1
#define DEAD    2
#define pack(number, mode, writers) ((number) + WINDOWS << 4 | (mode) << 2 | (writers))
#define numberOf(w)  (((w) >> 4) - WINDOWS)
#define modeOf(w)    ((w) >> 2 & 3)
#define writersOf(w) ((w) & 3)
#define in(w, place) ((w) * PLACES + (place) % PLACES)

/* What a place holds, but for the number of an event. */
#define NOTHING 32
#define TOUCHED 33

/* The ring. */
byte tail;
byte window[WINDOWS];

/* The windows. */
byte word[MADE];
byte readers[MADE];
byte known[MADE];
byte ready[12]; /* the number of the place published there, plus one */
byte event[12]; /* MADE * PLACES */

/* What the code does not have, and the properties speak of. */
byte made = WINDOWS;
byte news; /* a bit for each reader: an Offer has come to its end since it looked */

#define later(before) (numberOf(before) - n / PLACES)
#define stale(before) (modeOf(before) == DEAD || later(before) < 0 && WRITER(before))
#ifdef TWIN_OPENS_OVER_WRITERS
#define WRITER(before) false
#else
#define WRITER(before) writersOf(before)
#endif
#ifdef TWIN_OPENS_OVER_READERS
#define READER(w) false
#else
#define READER(w) readers[w]
#endif

/* Offer, so many times */
proctype Writer(byte times) {
	byte n, w, before;

	do
	:: atomic { times == 0 -> break }
	:: atomic { times > 0 -> times--; n = tail; tail++ };
		do /* Ring.open */
		:: w = window[n / PLACES % WINDOWS];
			before = word[w];
			if
			:: atomic { later(before) > 0 -> w = MADE; break }
			:: atomic { later(before) <= 0 && stale(before) -> skip };
				if
				:: modeOf(before) == DEAD
				:: atomic { modeOf(before) != DEAD && word[w] == before -> word[w] = before | DEAD << 2 }
				:: atomic { modeOf(before) != DEAD && word[w] != before -> w = MADE }
				fi;
				if
				:: atomic { w < MADE && window[n / PLACES % WINDOWS] == w ->
						assert(made < MADE);
						w = made;
						made++;
						window[n / PLACES % WINDOWS] = w;
						word[w] = pack(n / PLACES, OPEN, 1);
						known[w] = n / PLACES * PLACES;
						break
					}
				:: w == MADE || window[n / PLACES % WINDOWS] != w
				fi
			:: atomic { later(before) < 0 && !stale(before) -> skip };
#ifdef TWIN_LOOKS_THEN_OPENS
				if
				:: readers[w] > 0 ->
					if
					:: atomic { word[w] == before -> word[w] = before | DEAD << 2 }
					:: word[w] != before
					fi
				:: readers[w] == 0 ->
					if
					:: atomic { word[w] == before -> word[w] = pack(n / PLACES, OPEN, 1); break }
					:: word[w] != before
					fi
				fi
#else
				if
				:: atomic { word[w] == before -> word[w] = pack(n / PLACES, CLAIMED, 0) }
				:: word[w] != before
				fi
#endif
			:: atomic { later(before) == 0 && modeOf(before) == CLAIMED -> skip };
				if
				:: READER(w) ->
					if
					:: atomic { word[w] == before -> word[w] = pack(n / PLACES, DEAD, 0) }
					:: word[w] != before
					fi
				:: !READER(w) ->
					if
					:: atomic { word[w] == before -> word[w] = pack(n / PLACES, OPEN, 1); break }
					:: word[w] != before
					fi
				fi
			:: atomic { later(before) == 0 && modeOf(before) == OPEN -> skip };
				if
				:: atomic { word[w] == before -> word[w] = before + 1; break }
				:: word[w] != before
				fi
			fi
		od;
		if
		:: w == MADE /* the ring has come round */
		:: w < MADE ->
#ifdef TWIN_READY_BEFORE_EVENT
			ready[in(w, n)] = n + 1;
#endif
			atomic { assert(event[in(w, n)] != TOUCHED); event[in(w, n)] = TOUCHED };
			atomic { assert(event[in(w, n)] == TOUCHED); event[in(w, n)] = n };
#ifndef TWIN_READY_BEFORE_EVENT
			ready[in(w, n)] = n + 1;
#endif
			word[w]-- /* leave */
		fi;
		atomic { news = 3; n = 0; w = 0; before = 0 }
	od
}

/* window.run: at goes up to end, or the first that is not published */
inline runs(at) {
	do
	:: atomic { at < end && ready[in(w, at)] == at + 1 -> at++ }
	:: at == end || ready[in(w, at)] != at + 1 -> break
	od
}

#define lags (tail - place > CAPACITY)

/* NextBatch of room for so many, time and again, until there are no more events, or it is lapped */
proctype Reader(byte me, room; bool fromNext) {
	byte place, w, before, from, at, end, i;
	bool late; /* it lagged by more than the capacity when it called */

	if
	:: fromNext -> place = tail
	:: !fromNext
	fi;
	do
	:: place == EVENTS -> break
	:: atomic { place < EVENTS && news & me -> news = news & ~me };
again:
#ifdef TWIN_LAP_CHECK_AFTER_COPY
		late = lags;
#else
		if
		:: atomic { lags -> late = true; goto lapped }
		:: !lags
		fi;
#endif
more:
		w = window[place / PLACES % WINDOWS]; /* Ring.copy */
#ifndef TWIN_COUNTS_IN_LATE
		readers[w]++;
#endif
		before = word[w];
#ifdef TWIN_COUNTS_IN_LATE
		readers[w]++;
#endif
		if
		:: atomic { modeOf(before) == OPEN && numberOf(before) == place / PLACES ->
				end = place / PLACES * PLACES + PLACES;
				end = (end - place > room -> place + room : end)
			};
			before = known[w]; /* window.published */
			atomic {
				at = (before < place / PLACES * PLACES -> place / PLACES * PLACES : before);
				from = at
			};
			if
			:: at >= end -> at = end
			:: at < end ->
#ifdef TWIN_KNOWN_BEFORE_LOOK
				known[w] = end;
#endif
				runs(at);
				if
				:: at == from
				:: atomic { at != from && known[w] == before -> known[w] = at }
				:: atomic { at != from && known[w] != before -> skip }
				fi;
				if
				:: at >= place
				:: at < place ->
					at = place;
					runs(at)
				fi
			fi
		:: atomic { modeOf(before) != OPEN || numberOf(before) != place / PLACES -> at = place }
		fi;
		atomic { /* it copies: begins */
			i = place;
			do
			:: i < at -> assert(event[in(w, i)] == i); i++
			:: i == at -> break
			od
		};
		atomic { /* and ends */
			i = place;
			do
			:: i < at -> assert(event[in(w, i)] == i); i++
			:: i == at -> i = 0; break
			od
		};
		readers[w]--;
#ifdef TWIN_LAP_CHECK_AFTER_COPY
		if
		:: lags -> goto lapped
		:: !lags
		fi;
#endif
		if
		:: atomic { at == place -> w = 0; before = 0; from = 0; at = 0; end = 0 }
		:: atomic { at > place -> assert(!late); place = at; w = 0; before = 0; from = 0; at = 0; end = 0 };
			if
			:: goto again
			:: room > 1 -> goto more /* of the same call */
			fi
		fi
	od;
	goto out;
lapped:
	assert(late);
out:
	skip
}

inline opened() {
	do
	:: i < WINDOWS -> window[i] = i; word[i] = pack(i - WINDOWS, OPEN, 0); i++
	:: i == WINDOWS -> i = 0; break
	od;
	do
	:: i < MADE * PLACES -> event[i] = NOTHING; i++
	:: i == MADE * PLACES -> i = 0; break
	od
}
