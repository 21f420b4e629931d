/*
Latest: two writers offer events of one key, and a reader takes what is newest, woken by them or looking when it likes.
With -DKEYS=2 the last event of each writer is of another key.

An event lies in a box, which is written in two steps. There is one spare box for a key here; the code has two. Of the
table there is nothing: see ranks.pml.
*/

#ifndef EVENTS
#define EVENTS 4
#endif
#ifndef KEYS
#define KEYS 1
#endif
#define EACH    ((EVENTS + 1) / 2)
#define BOXES   (3 + 2 * KEYS) /* each writer's and the reader's; newest and the spare of each key */
#define ENTRIES (KEYS + EVENTS)

/* What a box holds, but for the number of an event. */
#define NOTHING 32
#define TOUCHED 33

/* The sink. Boxes and entries have numbers from 1; an entry up to KEYS is a cell's own. */
byte pushed, waiting;
byte cell[ENTRIES + 1], next[ENTRIES + 1];
byte event[BOXES + 1];

/* The cells. */
byte newest[KEYS], spare[KEYS];
byte pushes[KEYS], pops[KEYS];
bool lent[KEYS];

/* What the code does not have, and the properties speak of. */
byte used;            /* a set of boxes: the garbage collector has not got them */
byte made;            /* entries besides the cells' own */
bool on[ENTRIES + 1]; /* it is on the list */
byte listed[KEYS];    /* so many of that key's are */
byte unread[KEYS];    /* a set of writers: nothing has been taken since they put an event there */
byte hand = KEYS;     /* the key whose entry the reader has taken, and has not looked into its cell since */
bool seen[EVENTS];    /* it was taken, or counted as lost */
byte over;            /* so many were */
bool news;            /* the Lot: the reader is to look */

inline account(e) {
	assert(!seen[e]);
	seen[e] = true;
	over++
}

/* cell.get */
inline get() {
	b = spare[k];
	if
	:: atomic { b > 0 && spare[k] == b -> spare[k] = 0 }
	:: atomic { b == 0 || spare[k] != b -> /* another has got it, or there was none: a new one */
			b = 1;
			do
			:: used >> b & 1 -> b++
			:: else -> break
			od;
			assert(b <= BOXES);
			used = used | 1 << b;
			event[b] = NOTHING
		}
	fi
}

/* cell.put, where the box has been wiped */
inline put() {
	if
	:: atomic { spare[k] == 0 -> spare[k] = b; b = 0 }
	:: atomic { spare[k] != 0 -> used = used & ~(1 << b); b = 0 }
	fi
}

#define wipe assert(event[b] != TOUCHED && event[b] != NOTHING); event[b] = NOTHING

/* sink.push */
inline push() {
#ifdef TWIN_LENT_BY_STORE
	if
	:: !lent[k] -> atomic { lent[k] = true; e = k + 1 }
#else
	if
	:: atomic { !lent[k] -> lent[k] = true; e = k + 1 }
#endif
	:: atomic { lent[k] -> made++; e = KEYS + made }
	fi;
	do
	:: atomic { assert(!on[e]); cell[e] = k; next[e] = pushed };
		if
		:: atomic { pushed == next[e] -> pushed = e; on[e] = true; listed[k]++; e = 0; break }
		:: pushed != next[e]
		fi
	od
}

/* Offer, so many times */
proctype Writer(byte me, times) {
	byte n, k, b, e, p;

	do
	:: atomic { n == times -> k = 0; n = 0; break }
	:: atomic { n < times -> k = (n == times - 1 -> KEYS - 1 : 0) };
		get();
		atomic { assert(event[b] == NOTHING); event[b] = TOUCHED };
#ifdef TWIN_LOOK_BEFORE_SWAP
		p = pushes[k];
		atomic { p = (p > pops[k] -> 1 : 0) };
#endif
#ifndef TWIN_FILLED_IN_THE_CELL
		atomic { assert(event[b] == TOUCHED); event[b] = me * EACH + n };
#endif
		atomic { /* Swap */
			e = newest[k];
			newest[k] = b;
			b = e;
			e = 0;
			unread[k] = unread[k] | 1 << me;
			if
			:: b > 0 -> account(event[b]) /* counted as lost */
			:: b == 0
			fi
		};
#ifdef TWIN_FILLED_IN_THE_CELL
		atomic { e = newest[k]; assert(event[e] == TOUCHED); event[e] = me * EACH + n; e = 0 };
#endif
		if
		:: b == 0
		:: b > 0 ->
			atomic { wipe };
			put()
		fi;
#ifndef TWIN_LOOK_BEFORE_SWAP
		p = pushes[k];
		atomic { p = (p > pops[k] -> 1 : 0) };
#endif
#ifdef TWIN_WAKES_THEN_PUSHES
		news = true;
#endif
		if
		:: p == 1
		:: p == 0 ->
#ifdef TWIN_PUSHES_BEFORE_PUSH
			pushes[k]++;
			push()
#else
			push();
			pushes[k]++
#endif
		fi;
		atomic {
#ifndef TWIN_WAKES_THEN_PUSHES
			news = true;
#endif
			/* Offer returns: what is newest is found, whoever has stopped with his */
			assert(!(unread[k] >> me & 1) || listed[k] > 0 || hand == k);
			unread[k] = unread[k] & ~(1 << me);
			n++;
			p = 0
		}
	od
}

/* take, time and again */
proctype Reader(bool polls) {
	byte e, k, b;
	byte last[2 * KEYS]; /* of each key and writer: the number of the last event, plus one */

	do
	:: over == EVENTS -> break
	:: atomic { news || polls -> news = false };
		do
		:: atomic { waiting == 0 -> /* pop */
				e = pushed;
				pushed = 0;
				do
				:: e > 0 -> k = next[e]; next[e] = waiting; waiting = e; e = k; k = 0
				:: e == 0 -> break
				od;
				if
				:: waiting == 0 -> break
				:: waiting > 0
				fi
			}
		:: atomic { waiting > 0 -> e = waiting; k = cell[e] };
#ifdef TWIN_OWN_BACK_FIRST
			if
			:: e <= KEYS -> lent[k] = false
			:: e > KEYS
			fi;
#endif
			atomic { waiting = next[e]; next[e] = 0; on[e] = false; listed[k]--; hand = k };
#ifndef TWIN_OWN_BACK_FIRST
			if
			:: e <= KEYS -> lent[k] = false
			:: e > KEYS
			fi;
#endif
#ifndef TWIN_POPS_AFTER_TAKE
			pops[k]++;
#endif
			atomic { b = newest[k]; newest[k] = 0; hand = KEYS; unread[k] = 0 }; /* Swap */
#ifdef TWIN_POPS_AFTER_TAKE
			pops[k]++;
#endif
			if
			:: b == 0 /* taken by an earlier entry */
			:: b > 0 ->
				atomic {
					assert(event[b] < EVENTS);
					account(event[b]);
					assert(event[b] + 1 > last[2 * k + event[b] / EACH]); /* what is newest of a writer never goes back */
					last[2 * k + event[b] / EACH] = event[b] + 1;
#ifndef TWIN_SPARE_BEFORE_WIPE
					wipe
				};
				put()
#else
					e = b
				};
				put();
				atomic { b = e; wipe; b = 0 }
#endif
			fi;
			atomic { e = 0; k = 0 }
		od
	od;
	atomic {
		do
		:: k < 2 * KEYS -> last[k] = 0; k++
		:: k == 2 * KEYS -> k = 0; break
		od
	}
}

init {
	atomic {
		run Writer(0, EACH);
		run Writer(1, EVENTS - EACH);
		if
		:: run Reader(false)
		:: run Reader(true)
		fi
	};
	_nr_pr == 1
}
