/*
A broadcast's side of the protocol. What a sink answers is anybody's guess.
*/

#ifdef TWIN_LOAD_BEFORE_ANNOUNCE
#define LOAD       seen = (offerable(state[0]) -> 1 : 0) | (offerable(state[1]) -> 2 : 0);
#define offered(s) (seen & (s + 1))
#else
#define LOAD
#define offered(s) (registered[s] && offerable(state[s]))
#endif

/* What the properties say of a broadcast: none offers to one that had ended before it began, and none that was to
   come past a subscription when that was pruned ends without either an offer or a word of what is missed. */
#ifdef MISSES
#define BEGUN      ahead[0] = ahead[0] | (ended[0] -> 0 : me); ahead[1] = ahead[1] | (ended[1] -> 0 : me);
#define FRESH(s)   assert(ahead[s] & me);
#define PAST(s)    ahead[s] = ahead[s] & ~me;
#define HAD(s)     PAST(s) owed[s] = owed[s] & ~me;
#define PRUNES(s)  PAST(s) owed[s] = ahead[s];
#define MISS(s)    ; owed[s] = owed[s] & ~me
#else
#define BEGUN
#define FRESH(s)
#define PAST(s)
#define HAD(s)
#define PRUNES(s)
#define MISS(s)
#endif

/* grace.leave: what counted into epoch e counts out; e is the caller's, and 0 then. A token that is there
   already stays the only one. */
inline leave(e) {
	atomic { word(e)--; e = (word(e) -> 0 : 1) }; /* 1: it was the last */
	if
	:: atomic { e && parked -> e = 0 };
		wake = true
	:: atomic { !e || !parked -> e = 0 }
	fi
}

/* The leave of an enter that came too late. */
inline move(e) {
#ifdef TWIN_MOVE_WITHOUT_WAKE
	word(e)--
#else
	leave(e)
#endif
}

/* grace.enter, after the first look at the epoch; e becomes the word counted into. */
inline enter(e) {
	do
	:: word(e)++;
#ifdef TWIN_NO_SECOND_LOOK
		atomic { e = e & 1; BEGUN break }
#else
		if
		:: atomic { epoch == e -> e = e & 1; BEGUN break }
		:: epoch != e ->
			move(e);
			e = epoch
		fi
#endif
	od
}

/* walk.offer, to one subscription */
inline offer(s) {
	if
	:: atomic { !offered(s) && !(registered[s] && phase(state[s]) == PRUNED) -> PAST(s) skip } /* passOver */
	:: atomic { !offered(s) && registered[s] && phase(state[s]) == PRUNED -> PAST(s) skip }
		MISS(s)
	:: atomic { offered(s) -> assert(sink[s]) };
		if
		:: atomic { true -> assert(sink[s]); FRESH(s) HAD(s) skip } /* Accepted */
#ifdef WARNS
		:: atomic { !(state[s] & LAGGING) -> /* Accepted, and three quarters full: gauge */
				assert(sink[s]);
				state[s] = state[s] | LAGGING
			};
			state[s] = state[s] | WARNED;
			enqueue(s)
#endif
		:: atomic { phase(state[s]) != LIVE -> /* refused, but another end came first */
				assert(sink[s]);
				FRESH(s)
				PAST(s)
				skip
			}
			MISS(s)
		:: atomic { phase(state[s]) == LIVE -> /* refused */
				assert(sink[s]);
				FRESH(s)
				turn(s, PRUNED);
				PRUNES(s)
				skip
			};
#ifdef COUNTS
			live--;
#endif
			atomic { said[s] = true; state[s] = state[s] | READY };
			enqueue(s)
		fi
	fi
}

/* Fanout.Broadcast, so many times; me is the writer's bit */
proctype Writer(byte me, times) {
	byte e;
#ifdef TWIN_LOAD_BEFORE_ANNOUNCE
	byte seen;
#endif

	do
	:: times == 0 -> break
#ifdef COUNTS
	:: atomic { times > 0 && live <= 0 -> /* nobody there: then nobody lives whose Subscribe has returned */
			assert(closed || !(returned[0] && offerable(state[0]) || returned[1] && offerable(state[1])));
			times--
		}
	:: atomic { times > 0 && live > 0 -> times-- };
		LOAD
		e = epoch;
#else
	:: atomic { times > 0 -> times--; LOAD e = epoch };
#endif
		enter(e);
		offer(0);
		offer(1);
		leave(e)
	od
}
