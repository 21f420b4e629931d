/*
Spares: the free list of the ring's cells. Two writers take cells and give them back, each up to two at a time; there is
none to begin with, and each that finds none makes one. Blocks hold 1, 2, 4 ... cells, and there are two of them.
*/

#define CALLS 4 /* of each writer */
#define HELD  2 /* by each writer at a time, at most */
#define MADE  4 /* 2 * HELD: no more are ever out */

/* The list's word: how often it has changed, of 32; the first cell's number and 1, or 0. */
#define firstOf(w) ((w) & 7)
#ifdef TWIN_NO_CHANGES
#define pack(before, first) (first)
#else
#define pack(before, first) (((before) >> 3) + 1 << 3 | (first))
#endif
#define block(c) ((c) == 0 -> 0 : ((c) < 3 -> 1 : 2))

/* The cells. */
byte free;
byte made;
bool more[3]; /* the block is there */
byte next[MADE];

/* What the code does not have, and the properties speak of. */
byte out; /* a set of cells: they are somebody's */

/* cell c is this writer's now */
inline mine(c) {
	assert(!(out >> c & 1) && more[block(c)]);
	out = out | 1 << c;
	held = held | 1 << c;
	n++
}

/* Calls of cells.get and cells.put, so many */
proctype Writer(byte times) {
	byte before, c, held, n;

	do
	:: atomic { times == 0 && n == 0 -> break }
	:: atomic { times > 0 && n < HELD -> times-- }; /* get */
		do
		:: before = free;
			if
			:: atomic { firstOf(before) == 0 -> before = 0; break }
			:: firstOf(before) > 0 ->
				assert(more[block(firstOf(before) - 1)]);
				c = next[firstOf(before) - 1];
				if
				:: atomic { free == before ->
						free = pack(before, c);
						c = firstOf(before) - 1;
						mine(c);
						goto got
					}
				:: free != before
				fi
			fi
		od;
		do
		:: c = made;
			assert(c < MADE);
#ifdef TWIN_MADE_BEFORE_BLOCK
			if
			:: atomic { made == c -> made++; mine(c) };
				more[block(c)] = true;
				break
			:: made != c
			fi
#else
			if
			:: more[block(c)]
			:: !more[block(c)] -> more[block(c)] = true
			fi;
			if
			:: atomic { made == c -> made++; mine(c); break }
			:: made != c
			fi
#endif
		od;
got:
		atomic { before = 0; c = 0 }
	:: atomic { n > 0 -> /* put of one that it has */
			if
			:: held & 1 -> c = 0
			:: held & 2 -> c = 1
			:: held & 4 -> c = 2
			:: held & 8 -> c = 3
			fi;
			held = held & ~(1 << c);
			n--
		};
		do
		:: before = free;
			next[c] = firstOf(before);
			if
			:: atomic { free == before -> /* the writer is done with it */
					free = pack(before, c + 1);
					assert(out >> c & 1);
					out = out & ~(1 << c);
					break
				}
			:: free != before
			fi
		od;
		atomic { before = 0; c = 0 }
	od
}

init {
	byte c, n;

	atomic {
		run Writer(CALLS);
		run Writer(CALLS)
	};
	atomic { /* all that were made are on the list, once */
		_nr_pr == 1;
		assert(out == 0);
		c = firstOf(free);
		do
		:: c == 0 -> break
		:: c > 0 -> assert(n < made); n++; c = next[c - 1]
		od;
		assert(n == made)
	}
}
