/*
Claiming: two writers put into a queue of two places that takes many writers (queue.Shared), and a reader takes up to
two at a time. The numbers are taken modulo 16 and begin just below the limit, so that they wrap as the code's do.
*/

#define LIMIT  2
#define PLACES 2
#define FIRST  14
#define PUTS   3 /* of each writer */

/* Numbers. */
#define up(n)       (((n) + 1) & 15)
#define since(a, b) ((((a) - (b) + 8) & 15) - 8)
#define at(n)       ((n) & (PLACES - 1))

/* What a place holds. */
#define NOTHING 16
#define TOUCHED 17 /* somebody writes it, or reads and wipes it */

/* The queue. */
byte tail = FIRST, head = FIRST, headSeen = FIRST;
byte ready[PLACES];
byte event[PLACES];

/* What the code does not have, and the properties speak of. */
byte writing = 2;
byte accepted, refused, taken;

/* The write of a place that is claimed: no one access, so two steps. */
inline write(t) {
	atomic { assert(event[at(t)] == NOTHING); event[at(t)] = TOUCHED };
	atomic { assert(event[at(t)] == TOUCHED); event[at(t)] = t }
}

/* Shared.Put, so many times */
proctype Writer(byte times) {
	byte t, h;

	do
	:: atomic { times == 0 -> writing--; t = 0; h = 0; break }
	:: atomic { times > 0 -> times-- };
again:
#ifdef TWIN_HEAD_FIRST
		h = head;
#endif
		t = tail;
		if
		:: since(t, headSeen) < LIMIT
		:: since(t, headSeen) >= LIMIT ->
			atomic {
#ifndef TWIN_HEAD_FIRST
				h = head;
#endif
				if
#ifdef TWIN_SEEN_IS_BELIEVED
				:: true ->
#else
				:: since(t, h) >= LIMIT ->
#endif
					assert(since(tail, head) >= LIMIT); /* refused: then there is no room */
					refused++;
					goto next
#ifndef TWIN_SEEN_IS_BELIEVED
				:: else
#endif
				fi
			};
			headSeen = h
		fi;
		if
#ifdef TWIN_CLAIM_BY_STORE
		:: true ->
#else
		:: atomic { tail != t -> goto again }
		:: atomic { tail == t ->
#endif
				tail = up(t);
				accepted++;
				assert(since(tail, head) <= LIMIT) /* the limit is exact */
#ifndef TWIN_CLAIM_BY_STORE
			}
#endif
		fi;
#ifdef TWIN_READY_BEFORE_WRITE
		ready[at(t)] = up(t);
		write(t);
#else
		write(t);
		ready[at(t)] = up(t);
#endif
next:
		skip
	od
}

/* Shared.Take of two, until nothing is left */
proctype Reader() {
	byte h, n;

	do
	:: atomic { writing == 0 && head == tail -> break }
	:: head != tail -> /* a look more would change nothing */
		h = head;
		n = 0;
		do
		:: n == 2 -> break
		:: n < 2 ->
			if
#ifdef TWIN_ANY_IS_READY
			:: ready[at(h + n)] == FIRST -> break /* never published */
			:: ready[at(h + n)] != FIRST ->
#else
			:: ready[at(h + n)] != up(h + n) -> break
			:: ready[at(h + n)] == up(h + n) ->
#endif
#ifdef TWIN_HEAD_BEFORE_WIPE
				head = up(h + n);
#endif
				atomic { assert(event[at(h + n)] == ((h + n) & 15)); event[at(h + n)] = TOUCHED };
				atomic { assert(event[at(h + n)] == TOUCHED); event[at(h + n)] = NOTHING; taken++; n++ }
			fi
		od;
		if
		:: n == 0
		:: atomic { n > 0 -> head = (h + n) & 15 }
		fi
	od
}

init {
	atomic {
		ready[0] = FIRST;
		ready[1] = FIRST;
		event[0] = NOTHING;
		event[1] = NOTHING;
		run Writer(PUTS);
		run Writer(PUTS);
		run Reader()
	};
	atomic {
		_nr_pr == 1;
		assert(taken == accepted && accepted + refused == 2 * PUTS);
		assert(event[0] == NOTHING && event[1] == NOTHING)
	}
}
