/*
Order: two writers offer events to a multicast ring, each with a sequence of its own; a reader begins somewhere, reads
some, and is lapped. What it is told that it has missed nothing below is so, though a writer stops with its place
claimed.

Of the ring there are the claims, and which places are published. What is more than the capacity behind may be there
still, or overwritten. With -DEQUAL two events may have one sequence, as a log's have not, and the checker objects.
*/

#ifndef EVENTS
#define EVENTS 4
#endif
#define CAPACITY 1

/* The ring. */
byte tail;
bool published[EVENTS];
byte has[EVENTS]; /* the sequence of the event there */

/* order */
byte next, late, lateTo;

/* What the code does not have. */
byte given; /* a set of sequences: there is an event of it */

/* order.coming */
inline coming() {
	if
	:: atomic { sequence >= next -> next = sequence + 1; first = true }
	:: sequence < next
	fi
}

/* order.placing; n is by how much the event is late */
inline placing() {
	atomic { n = next; n = (first && n <= sequence + 1 -> 0 : n - sequence) };
	if
	:: n == 0
	:: n > 0 ->
		late = (late < n -> n : late);
		atomic { lateTo = (lateTo < place + 1 -> place + 1 : lateTo); n = 0 }
	fi
}

/* sink.Offer, so many times */
proctype Writer(byte times) {
	byte sequence, place, n;
	bool first;

	do
	:: atomic { times == 0 -> break }
	:: atomic { times > 0 ->
			times--;
			if
			:: !(given & 1) -> sequence = 0
			:: !(given & 2) -> sequence = 1
			:: !(given & 4) -> sequence = 2
			:: !(given & 8) -> sequence = 3
			fi;
#ifndef EQUAL
			given = given | 1 << sequence
#endif
		};
#ifndef TWIN_NEXT_AFTER_CLAIM
		coming();
#endif
		place = tail; /* Ring.claimAt */
#ifdef TWIN_PLACING_ONCE
		placing();
#endif
again:
#if !defined(TWIN_PLACING_AFTER_CLAIM) && !defined(TWIN_PLACING_ONCE)
		placing();
#endif
		if
		:: atomic { tail == place -> has[place] = sequence; tail++ }
		:: atomic { tail != place -> place = tail; goto again }
		fi;
#ifdef TWIN_NEXT_AFTER_CLAIM
		coming();
#endif
#ifdef TWIN_PLACING_AFTER_CLAIM
		placing();
#endif
		published[place] = true;
		atomic { sequence = 0; place = 0; first = false }
	od
}

/* what stands at a place, if it is there; p is no variable that others write */
#define isThere(p)  published[p]
#define maybeNot(p) (!published[p] || tail - (p) > CAPACITY)

/* Ring.Reader; then calls of Next, until it is lapped or there is no more */
proctype Reader(bool oldest) {
	byte place, expected, t;

	t = tail;
again:
	atomic { place = t; place = (oldest && t > 0 -> t - CAPACITY : t) }; /* beginAt; the capacity is 1 */
	if
	:: atomic { oldest && t > 0 -> skip };
		if
		:: atomic { isThere(place) -> expected = has[place]; goto reads }
		:: maybeNot(place)
		fi
	:: atomic { !(oldest && t > 0) -> skip }
	fi;
	if
	:: place == 0 -> goto reads
	:: place > 0 ->
		if
		:: atomic { isThere(place - 1) -> expected = has[place - 1] + 1; goto reads }
		:: maybeNot(place - 1)
		fi
	fi;
	if /* begin: not known */
	:: tail == t
	:: atomic { tail != t -> t = tail; goto again }
	fi;
reads:
	do
	:: place == EVENTS -> break
	:: atomic { place < EVENTS && tail - place > CAPACITY -> t = tail; goto lapped }
	:: place < EVENTS && tail - place <= CAPACITY ->
		if
		:: atomic { isThere(place) -> expected = has[place] + 1; place++ }
		:: maybeNot(place) -> /* the next look finds something else, or none comes */
			if
			:: published[place]
			:: tail - place > CAPACITY
			fi
		fi
	od;
	goto out;
lapped:
	assert(next > 0);
	if /* order.least */
	:: lateTo <= place
	:: lateTo > place ->
		expected = expected - (expected < late -> expected : late)
	fi;
	atomic {
		do
		:: place < t -> assert(has[place] >= expected); place++
		:: place == t -> break
		od
	};
out:
	skip
}

init {
	atomic {
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		if
		:: run Reader(false)
		:: run Reader(true)
		fi
	};
	_nr_pr == 1
}
