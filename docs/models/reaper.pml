/*
The reaper's side of the protocol: the grace first, then out of the registry, then all that its owner is told.
*/

#ifdef MISSES
#define OWES_NOTHING(s) assert(!owed[s])
#else
#define OWES_NOTHING(s) skip
#endif

/* Fanout.reaper. Where there are several, all but one are on their way out. */
proctype Reaper() {
	byte s, b;
	byte first;  /* of what was taken from the retire list */
	byte due[2]; /* in hand: 1 is over, 2 was registered too */
	byte batch;  /* chores in hand */
	bool chore;  /* what is on the list now was put there by one */

again:
	if
	:: atomic { due[0] || due[1] -> /* seeOff */
			do
			:: s == 2 -> s = 0; goto again
			:: s < 2 && !due[s] -> s++
			:: s < 2 && due[s] -> /* sayWhy: Err speaks; Sink.Close, where it was subscribed; Ended; Done */
				assert(isOver(state[s]) && said[s]);
				state[s] = state[s] | RETIRED;
				closes[s] = closes[s] + (due[s] == 2 -> 1 : 0);
				dones[s]++;
				due[s] = 0;
				s++
			od
		}
#ifdef WAITS
	:: atomic { !due[0] && !due[1] && (batch & 3) == BARRIER -> /* do */
			batch = batch >> 2;
			passed = true;
			goto again
		}
#endif
#ifdef CLOSES
	:: atomic { !due[0] && !due[1] && (batch & 3) == CLOSE -> /* do; a kick of its own would find it there */
			batch = batch >> 2;
			chore = true;
			s = (registered[0] -> 1 : 0) | (registered[1] -> 2 : 0)
		};
		if
		:: s & 1 -> end(0, b)
		:: !(s & 1)
		fi;
		if
		:: s & 2 -> end(1, b)
		:: !(s & 2)
		fi;
		s = 0
#endif
	:: atomic { !due[0] && !due[1] && !batch ->
			batch = chores;
			chores = 0
		}
	fi;

	atomic { /* retireList.take: the oldest first */
		b = 0;
		first = retired;
		retired = 0;
		if
		:: first && next[first - 1] ->
			b = next[first - 1];
			next[b - 1] = first;
			next[first - 1] = 0;
			first = b;
			b = 0
		:: else
		fi
	};
	if
	:: atomic { first -> chore = false }
	:: atomic { !first && (chore || batch) -> chore = false; goto again }
	:: !first && !chore && !batch -> /* exits, unless something was pushed meanwhile */
		reaping = false;
#ifdef TWIN_EXIT_WITHOUT_LOOK
		goto gone
#else
		if
		:: retired == 0 ->
			if
			:: chores == 0 -> goto gone
			:: chores > 0
			fi
		:: retired > 0
		fi;
#ifdef TWIN_STORE_NOT_SWAP
		atomic { reaping = true; goto again }
#else
		if
		:: atomic { !reaping -> reaping = true; goto again }
		:: reaping -> goto gone
		fi
#endif
#endif
	fi;

	/* collect */
	do
	:: atomic { first -> /* next is read before queued is cleared: then others may push it again */
			s = first - 1;
#ifndef TWIN_NEXT_AFTER_CLEAR
			first = next[s];
			next[s] = 0;
#endif
			b = state[s]
#ifdef TWIN_LOOK_THEN_CLEAR
		};
		atomic { true ->
#endif
			state[s] = state[s] & ~(QUEUED | WARNED);
#if defined(TWIN_COLLECT_AGAIN)
			due[s] = (phase(b) != LIVE && (b & READY) -> 1 : 0);
#elif defined(TWIN_NOT_READY)
			due[s] = (isOver(b) -> 1 : 0);
#else
			due[s] = (isOver(b) && (b & READY) -> 1 : 0);
#endif
			b = 0
		}
#ifdef TWIN_NEXT_AFTER_CLEAR
		;
		atomic { first = next[s]; next[s] = 0 }
#endif
	:: atomic { !first -> /* grace.wait: open an epoch */
			s = 0;
#ifdef TWIN_OUT_BEFORE_GRACE
			registered[0] = registered[0] && !due[0];
			registered[1] = registered[1] && !due[1];
#endif
			b = epoch & 1;
			epoch++;
			OPENED_EPOCH;
			break
		}
	od;
#ifndef TWIN_CLOSE_WITHOUT_GRACE
	do
#ifdef TWIN_PARK_WITHOUT_LOOK
	:: atomic { word(b) == 0 -> parked = false; break }
	:: word(b) > 0 ->
		parked = true;
		atomic { wake -> wake = false }
#else
	:: parked = true;
		if
		:: word(b) == 0 -> parked = false; break
		:: word(b) > 0 -> atomic { wake -> wake = false }
		fi
#endif
	od;
#endif
	atomic { /* unregister, where it was ever registered; the sink is the reaper's alone then */
		b = 0;
		do
		:: s == 2 -> s = 0; goto again
		:: s < 2 && !(due[s] && sink[s]) -> s++
		:: s < 2 && due[s] && sink[s] ->
#ifndef TWIN_OUT_BEFORE_GRACE
				assert(registered[s]);
#endif
				OWES_NOTHING(s);
				registered[s] = false;
				sink[s] = false;
				due[s] = 2;
				s++
		od
	};
gone:
	skip
}

/* What the end must be like. */
inline settled() {
	assert(!retired && !chores && !reaping && !parked);
	assert(!mark[0] && !mark[1]);
	assert(!registered[0] && !registered[1] && !sink[0] && !sink[1]);
	assert(closes[0] == 1 && dones[0] == 1 && phase(state[0]) == RETIRED);
	assert(dones[1] == 1 && phase(state[1]) == RETIRED)
}
