/*
Ranks: two writers look up two keys each, of three, in the table of adapters/latest, and count those that have no rank
yet; one or two keys are the most. A writer may stop for good where another could have to wait for it, or take its
key for one too many.

A key is its cell: one that lost its place to another of the same key is nobody's.
*/

#define KEYS   3 /* from 1 */
#define PLACES (2 * most)
#define TOO_MANY 15
#define size(set) (((set) >> 1 & 1) + ((set) >> 2 & 1) + ((set) >> 3 & 1))

/* the first two begin at the same place */
#define hash(k) ((k) / KEYS)

/* The table. */
byte most; /* MaxKeys */
byte place[4];
byte ranked[2];
byte counted;
byte rank[KEYS + 1];

/* What the code does not have, and the properties speak of. */
byte stopped;            /* writers */
byte accepted, refused;  /* sets of keys */
byte installed;          /* a set of keys */

/* here a writer may stop for good */
inline stops() {
	if
	:: atomic { stopped == 0 -> stopped++; goto out }
	:: true
	fi
}

/* table.count, of cell k */
inline count() {
	do
#ifdef TWIN_RANK_FIRST
	:: rank[k] != 0 -> break
	:: rank[k] == 0 ->
		n = counted;
#else
	:: n = counted;
		if
		:: rank[k] != 0 -> break
		:: rank[k] == 0
		fi;
#endif
		if
		:: n == most ->
			if
			:: atomic { rank[k] == 0 -> rank[k] = TOO_MANY }
			:: rank[k] != 0
			fi;
			break
		:: n < most ->
			next = ranked[n];
			if
			:: next > 0
			:: atomic { next == 0 && ranked[n] == 0 -> ranked[n] = k; next = k }
			:: atomic { next == 0 && ranked[n] != 0 -> next = ranked[n] }
			fi;
			stops();
#ifdef TWIN_NO_HELP
			if
			:: next != k -> counted > n
			:: next == k ->
#endif
#ifdef TWIN_COUNTED_BEFORE_RANK
			if
			:: atomic { counted == n -> counted = n + 1 }
			:: counted != n
			fi;
			stops();
			if
			:: atomic { rank[next] == 0 -> rank[next] = n + 1 }
			:: rank[next] != 0
			fi
#else
			if
			:: atomic { rank[next] == 0 -> rank[next] = n + 1 }
			:: rank[next] != 0
			fi;
			stops();
			if
			:: atomic { counted == n -> counted = n + 1 }
			:: counted != n
			fi
#endif
#ifdef TWIN_NO_HELP
			fi
#endif
		fi
	od
}

/* table.cell, so many times */
proctype Writer(byte times) {
	byte k, i, c, n, next;
	bool closed;

	do
	:: atomic { times == 0 -> break }
	:: atomic { times > 0 -> times--; k = 1 };
		atomic {
			if
			:: k = 1
			:: k = 2
			:: k = 3
			fi;
			closed = counted == most;
			i = 0
		};
		do
		:: atomic { i == PLACES -> i = TOO_MANY; break }
		:: atomic { i < PLACES -> c = place[(hash(k) + i) % PLACES] };
#ifdef TWIN_COUNTED_AFTER_PLACES
			closed = counted == most;
#endif
			if
			:: atomic { c == 0 && closed -> i = TOO_MANY; break }
			:: atomic { c == 0 && !closed -> skip };
				stops();
				if
				:: atomic { place[(hash(k) + i) % PLACES] == 0 ->
						assert(!(installed >> k & 1)); /* a key has one cell */
						installed = installed | 1 << k;
						c = k;
						place[(hash(k) + i) % PLACES] = c
					}
				:: atomic { place[(hash(k) + i) % PLACES] != 0 -> c = place[(hash(k) + i) % PLACES] }
				fi
			:: c > 0
			fi;
			if
			:: atomic { c == k -> i = 0; break }
			:: atomic { c != k -> i++ }
			fi
		od;
		if
		:: i == TOO_MANY
		:: i == 0 ->
			stops();
			if
			:: rank[k] == 0 -> count()
			:: rank[k] != 0
			fi;
			i = rank[k]
		fi;
		atomic {
			assert(i != 0);
			if
			:: i == TOO_MANY -> refused = refused | 1 << k
			:: i != TOO_MANY -> accepted = accepted | 1 << k
			fi;
			assert((accepted & refused) == 0);
			assert(size(accepted) <= most);
			/* refused: then as many others were there first */
			assert(i != TOO_MANY || size(installed & ~(1 << k)) >= most);
			k = 0; c = 0; i = 0; n = 0; next = 0; closed = false
		}
	od;
out:
	atomic { k = 0; c = 0; i = 0; n = 0; next = 0; closed = false; times = 0 }
}

init {
	atomic {
		if
		:: most = 1
		:: most = 2
		fi;
		run Writer(2);
		run Writer(2)
	};
	atomic {
		_nr_pr == 1;
		/* no place is taken twice, nor left while a key wants it */
		assert(refused == 0 || stopped > 0 || size(accepted) == most);
		assert(counted < 2 || ranked[0] != ranked[1])
	}
}
