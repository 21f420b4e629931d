/*
Overwriting: two writers offer to a ring that overwrites, and its reader takes one event at a time. There is one cell
for each place, one for the reader, and MORE for writers that pass another: without any a hole is left.

A cell's event is written and read in two steps. The list of spare cells is one step here; spares.pml is about
what is in it.
*/

#ifndef EVENTS
#define EVENTS 6
#endif
#ifndef SIZE
#define SIZE 2
#endif
#define CELLS (SIZE + 2)

/* A slot's word: a lap, from 1, of 8; the state, of 4; the cell, of 8. */
#define EMPTY   0
#define WRITING 1
#define FULL    2
#define HOLE    3
#define pack(lap, state, cell) ((lap) << 5 | (state) << 3 | (cell))
#define lapOf(w)   ((w) >> 5)
#define stateOf(w) ((w) >> 3 & 3)
#define cellOf(w)  ((w) & 7)
#define lap(n)     ((n) / SIZE + 1)

/* What a cell holds, but for the number of an event. */
#define NOTHING 32
#define TOUCHED 33

/* The ring. */
byte tail;
byte slot[SIZE];
byte event[CELLS];
byte spares; /* a set of cells */
byte lost;

/* What the code does not have, and the properties speak of. */
byte writing = 2;
byte taken, accepted;
bool seen[EVENTS]; /* it was taken, or counted as lost */
bool news;         /* the Lot: the reader is to look */

/* event e is over, by one of the two */
inline account(e) {
	assert(!seen[e]);
	seen[e] = true
}

/* cells.get; c is CELLS where there is none */
inline get(c) {
	atomic {
		c = 0;
		do
		:: c == CELLS || spares >> c & 1 -> break
		:: else -> c++
		od;
		spares = spares & ~(1 << c)
	}
}

/* Offer, so many times */
proctype Writer(byte times) {
	byte n, before, claimed, c;

	do
	:: atomic { times == 0 -> writing--; break }
	:: atomic { times > 0 -> times--; n = tail; tail++ };
again:
		atomic { before = slot[n % SIZE]; c = cellOf(before) };
		if
		:: atomic { lapOf(before) >= lap(n) -> /* who came a lap later was here first */
				account(n);
				lost++;
				goto out
			}
#ifdef TWIN_PASSES_WITH_ITS_CELL
		:: lapOf(before) < lap(n)
#else
#ifdef TWIN_HOLE_HAS_A_CELL
		:: atomic { lapOf(before) < lap(n) && stateOf(before) != WRITING -> skip }
		:: atomic { lapOf(before) < lap(n) && stateOf(before) == WRITING -> skip };
#else
		:: atomic { lapOf(before) < lap(n) && stateOf(before) != WRITING && stateOf(before) != HOLE -> skip }
		:: atomic { lapOf(before) < lap(n) && (stateOf(before) == WRITING || stateOf(before) == HOLE) -> skip };
#endif
			get(c)
#endif
		fi;
		claimed = (c < CELLS -> pack(lap(n), WRITING, c) : pack(lap(n), HOLE, 0));
#ifdef TWIN_LOST_BEFORE_CLAIM
		if
		:: stateOf(before) == FULL -> lost++
		:: stateOf(before) != FULL
		fi;
#endif
		if
		:: atomic { slot[n % SIZE] != before -> /* the reader took, or another writer got on */
				if
				:: c < CELLS && (stateOf(before) == WRITING || stateOf(before) == HOLE) -> spares = spares | 1 << c
				:: else
				fi;
				goto again
			}
		:: atomic { slot[n % SIZE] == before ->
				slot[n % SIZE] = claimed;
				if
#ifndef TWIN_LOST_BEFORE_CLAIM
				:: stateOf(before) == FULL ->
					account(event[c]);
					lost++
#endif
				:: else
				fi;
				before = 0
			}
		fi;
		if
		:: atomic { stateOf(claimed) == HOLE -> account(n); lost++ };
#ifndef TWIN_HOLE_WITHOUT_WAKE
			news = true
#endif
		:: stateOf(claimed) == WRITING ->
			atomic { assert(event[c] != TOUCHED); event[c] = TOUCHED };
			atomic { assert(event[c] == TOUCHED); event[c] = n };
			if
#ifdef TWIN_PUBLISH_BY_STORE
			:: true ->
				slot[n % SIZE] = pack(lap(n), FULL, c);
#else
			:: atomic { slot[n % SIZE] == claimed -> slot[n % SIZE] = pack(lap(n), FULL, c) };
#endif
				news = true
#ifndef TWIN_PUBLISH_BY_STORE
			:: atomic { slot[n % SIZE] != claimed -> /* passed */
					account(n);
					lost++;
					assert(event[c] == n);
					event[c] = NOTHING
				};
				spares = spares | 1 << c
#endif
			fi
		fi;
out:
		atomic { accepted++; n = 0; before = 0; claimed = 0; c = 0 }
	od
}

/* Take of one, and the wait in between; head and own are the reader's alone */
proctype Reader() {
	byte now, head;
	byte own = SIZE; /* the cell that it has */

	do
	:: atomic { taken + lost >= EVENTS && writing == 0 -> now = 0; head = 0; break }
	:: atomic { news -> news = false };
again:
		now = slot[head % SIZE];
		if
		:: lapOf(now) < lap(head) || lapOf(now) == lap(head) && stateOf(now) == WRITING /* not there yet */
		:: lapOf(now) > lap(head) || lapOf(now) == lap(head) && (stateOf(now) == HOLE || stateOf(now) == EMPTY) ->
			atomic { /* lapped, or a hole */
				head++;
				head = (tail > head + SIZE -> tail - SIZE : head);
				goto again
			}
		:: lapOf(now) == lap(head) && stateOf(now) == FULL ->
#ifdef TWIN_READ_BEFORE_TAKE
			atomic { assert(event[cellOf(now)] != TOUCHED) };
			atomic { assert(event[cellOf(now)] == head) };
#endif
			if
			:: slot[head % SIZE] != now -> goto again /* overwritten just now */
			:: atomic { slot[head % SIZE] == now ->
#ifdef TWIN_CELL_STAYS
					slot[head % SIZE] = pack(lap(head), EMPTY, cellOf(now));
#else
					slot[head % SIZE] = pack(lap(head), EMPTY, own);
#endif
					own = cellOf(now);
					account(head);
					taken++
				}
			fi;
#ifndef TWIN_READ_BEFORE_TAKE
			atomic { assert(event[own] == head); event[own] = TOUCHED };
			atomic { assert(event[own] == TOUCHED); event[own] = NOTHING };
#endif
			head++;
			goto again
		fi
	od
}

init {
	byte i;

	atomic {
		if /* one cell more, or none */
		:: spares = 1 << SIZE + 1
		:: true
		fi;
		do
		:: i == CELLS -> i = 0; break
		:: i < SIZE -> slot[i] = pack(0, EMPTY, i); event[i] = NOTHING; i++
		:: i >= SIZE && i < CELLS -> event[i] = NOTHING; i++
		od;
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		run Reader()
	};
	atomic {
		_nr_pr == 1;
		assert(accepted == EVENTS && accepted == taken + lost)
	}
}
