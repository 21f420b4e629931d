/*
Journal: three appenders, of an event each, two of which may leave; the writer, which commits two of them at a time; a Log
that may refuse one of a group, may not tell what became of a group, or fail for good; somebody else who appends to it; a Close
that drains; and a crash, which may come at any moment, and after which nobody may have been told what is not there.
*/

#define N 3
#define GROUP 2
#define OTHER N      /* the event of somebody else */

/* pending.state */
#define FRESH 0
#define QUEUED 1
#define UNDER_WAY 2
#define SETTLED 3

/* what an appender is told */
#define NOTHING 1    /* nothing was appended */
#define DONE 2
#define UNKNOWN 3

/* The Log. What is written is there after the sync. */
byte at[N + 1];      /* the place of an event, from 1; 0: none */
byte written, synced;

/* The Journal, under its mutex. */
byte line[N], queued;
byte state[N], answer[N];
bool closing, failed;
bool token;          /* wake */

/* The writer's. */
byte group[GROUP], batches;
byte next;

/* What the code does not have, and the properties speak of. */
bool told[N];        /* done */
byte heard;          /* how many events were broadcast */
byte over;           /* how many appenders have returned */
bool nothing[N];     /* and that nothing was appended */

/* line.push, and pending.state; b says whether the line was empty */
inline push(i, b) {
	b = (queued == 0);
	line[queued] = i;
	queued++;
	state[i] = QUEUED
}

/* line.remove */
inline remove(i, k) {
	k = 0;
	do
	:: line[k] == i -> break
	:: else -> k++
	od;
	do
	:: k + 1 < queued -> line[k] = line[k + 1]; k++
	:: else -> break
	od;
	queued--;
	line[queued] = 0;
	k = 0
}

/* what the appender returns is true */
inline returned(i, what) {
	assert(what != DONE || (at[i] != 0 && at[i] <= synced && at[i] <= heard));
	assert(what != NOTHING || at[i] == 0);
	nothing[i] = (what == NOTHING);
	over++
}

/* Journal.Append: enqueue, then the select, with leave */
proctype Appender(byte i; bool leaves) {
	bool b;
	byte k;

#ifdef TWIN_ROUSES_FIRST
	if
	:: atomic { queued == 0 -> token = true }
	:: queued != 0
	fi;
#endif
	if
	:: atomic { failed || closing -> returned(i, NOTHING); goto out }
	:: atomic { !failed && !closing -> push(i, b) }
	fi;
#ifndef TWIN_ROUSES_FIRST
	if
	:: atomic { b -> token = true; b = false }
	:: atomic { !b -> skip }
	fi;
#endif
	if
	:: atomic { told[i] -> returned(i, answer[i]) }
	:: atomic { leaves && state[i] == QUEUED -> remove(i, k); state[i] = SETTLED; returned(i, NOTHING) }
#ifdef TWIN_LEAVES_UNDER_WAY
	:: atomic { leaves && state[i] == UNDER_WAY -> returned(i, NOTHING) }
#else
	:: atomic { leaves && state[i] == UNDER_WAY -> returned(i, UNKNOWN) }
#endif
	fi;
out:	skip
}

/* Journal.answer and refuse, of one batch, and the telling */
inline settle(i, what) {
	state[i] = SETTLED;
	answer[i] = what;
	told[i] = true
}

/* the first batch of the group has its answer */
inline drop() {
	group[0] = group[1];
	group[1] = 0;
	batches--
}

/* Log.Append, up to the sync: what is there already is a repeat */
inline write() {
	if
	:: at[group[0]] == 0 -> written++; at[group[0]] = written
	:: else
	fi;
	if
	:: batches == 2 && at[group[1]] == 0 -> written++; at[group[1]] = written
	:: else
	fi
}

/* Fanout.Broadcast of the event at a place */
inline broadcast(p) {
	assert(p < synced);
	assert(p == heard);
	heard++
}

/* Journal.handOn, of the first batch of the group: fill, and its event */
inline tell() {
	do
	:: atomic { next + 1 < at[group[0]] ->
#ifndef TWIN_PASSES_OVER_OTHERS
			broadcast(next);
#endif
			next++
		}
	:: atomic { next + 1 == at[group[0]] -> broadcast(next); next++; break }
	:: atomic { next + 1 > at[group[0]] -> break } /* a repeat */
	od
}

inline handOn() {
	do
	:: batches > 0 ->
#ifdef TWIN_ANSWERS_FIRST
		atomic { settle(group[0], DONE) };
		tell();
		atomic { drop() }
#else
		tell();
		atomic { settle(group[0], DONE); drop() }
#endif
	:: atomic { batches == 0 -> break }
	od
}

/* Journal.run */
proctype Writer() {
	bool doubt;

	do
	:: atomic { queued == 0 && (closing || failed) -> break }
#ifdef TWIN_CLOSES_AT_ONCE
	:: atomic { closing -> break }
#endif
#ifdef TWIN_FORGETS_THE_QUEUED
	:: atomic { failed -> break }
#endif
	:: atomic { queued == 0 && !closing && !failed -> skip };
		atomic { token -> token = false }
	:: atomic { queued > 0 -> /* take */
			do
			:: queued > 0 && batches < GROUP ->
				group[batches] = line[0];
				state[line[0]] = UNDER_WAY;
				batches++;
				queued--;
				line[0] = line[1];
				line[1] = line[2];
				line[2] = 0
			:: else -> break
			od
		};
		do
		:: atomic { batches == 0 -> break }
		:: atomic { batches > 0 && failed -> settle(group[0], NOTHING); drop() }
		:: atomic { batches > 0 && !failed && !doubt -> settle(group[0], NOTHING); drop() } /* it refuses one */
		:: atomic { batches > 0 && !failed && written == synced -> write() };
#ifdef TWIN_PUBLISHES_FIRST
			tell();
#endif
#ifdef TWIN_ANSWERS_BEFORE_THE_SYNC
			atomic { settle(group[0], DONE); drop() };
#endif
			if
			:: atomic { true -> synced = written; doubt = false }; /* it has answered */
				handOn()
			:: atomic { true -> synced = written; doubt = true } /* it has, and can't tell */
#ifdef TWIN_UNKNOWN_IS_PASSED_OVER
				; atomic { next = synced }
#endif
			:: atomic { true -> /* the sync has failed */
					failed = true;
					do
					:: batches > 0 -> settle(group[0], UNKNOWN); drop()
					:: else -> break
					od;
					doubt = false
				}
			fi
		:: atomic { batches > 0 && !failed -> doubt = true } /* nothing was written, and it can't tell */
		od
	od
}

/* somebody else, who appends to the Log */
proctype Other() {
	atomic { written == synced || failed ->
		if
		:: !failed -> written++; at[OTHER] = written; synced = written
		:: else
		fi
	}
}

/* Journal.Close, by who may wait for the appenders first: then nobody else wakes the writer for them */
proctype Closer() {
	if
	:: true -> over == N
	:: true
	fi;
	atomic { closing = true };
	atomic { token = true }
}

/* What was not synced may be gone now. */
proctype Crash() {
	byte i;

	atomic {
		assert(heard <= synced);
		do
		:: i < N ->
			assert(!told[i] || answer[i] != DONE || at[i] <= synced);
			i++
		:: else -> break
		od;
		i = 0
	}
}

init {
	byte i;

	atomic {
		run Appender(0, true);
		run Appender(1, true);
		run Appender(2, false);
		run Writer();
		run Other();
		run Closer();
		run Crash()
	};
	atomic {
		_nr_pr == 1;
		assert(over == N && queued == 0 && batches == 0);
		do
		:: i < N ->
			assert(failed || at[i] <= heard); /* nothing of the Journal's that is there was passed over */
			assert(!nothing[i] || at[i] == 0);
			i++
		:: else -> break
		od
	}
}
