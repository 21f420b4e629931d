/*
Callback: two writers offer to one callback, whose function may return, cancel its own subscription, or panic; somebody
cancels, or the Fanout closes, or the context ends; the sink is closed after that, or, where only the context has
ended, never in time; and somebody waits until it is over.

The queue is that of claiming.pml: a claim, then the publishing; a take is one step here. Of core there is what
a sink is promised: it is closed once, when its subscription has ended and no Offer is under way or to come.
*/

#ifndef EVENTS
#define EVENTS 2
#endif
#define LIMIT (EVENTS - 1)

/* The queue. */
byte tail, head;
bool published[EVENTS + 1];

#define ready published[head]

/* The sink. */
bool running, stopped, closed, over;
bool done; /* its context */

/* The subscription. */
bool ended;
byte inside; /* broadcasts */

/* What the code does not have, and the properties speak of. */
bool calling;   /* the function runs */
bool unseen;    /* the context has ended, and nobody sees the end off */
byte handled;
bool cancelled; /* Cancel has returned */
byte after;     /* calls since then */

/* sink.halted: b says so */
inline halted(b) {
	if
	:: atomic { stopped -> b = true }
	:: !stopped ->
		if
		:: atomic { done -> b = true }
		:: !done
		fi
	fi
}

/* sink.finish where nothing is to be taken up any more: that no call runs, or that one does */
inline finishHalted() {
	if
	:: atomic { !running -> assert(!calling); over = true }
	:: running
	fi
}

/* sink.finish; b is a variable of the caller's, and false */
inline finish(b) {
#ifdef TWIN_RUNNING_FIRST
	if
	:: running
	:: !running ->
#endif
	halted(b);
	if
	:: b
#ifdef TWIN_CLOSED_IS_OVER
	:: atomic { !b && closed -> b = true }
#else
	:: atomic { !b && closed -> skip };
		if
		:: atomic { !ready -> b = true }
		:: ready
		fi
#endif
	:: atomic { !b && !closed -> skip }
	fi;
#ifdef TWIN_RUNNING_FIRST
		atomic { over = over || b; b = false; assert(!over || !calling) }
	fi
#else
	if
	:: atomic { b && !running ->
			b = false;
			assert(!calling);
			assert(stopped || done || handled == tail); /* what was accepted is handled, unless nothing is to be */
			over = true
		}
	:: atomic { !b || running -> b = false }
	fi
#endif
}

/* sink.wake */
inline rouse() {
	if
	:: running
	:: !running ->
#ifdef TWIN_START_WITHOUT_SWAP
		atomic { running = true; run Runner() }
#else
		if
		:: atomic { !running -> running = true; run Runner() }
		:: running
		fi
#endif
	fi
}

/* sink.run */
proctype Runner() {
	bool b;

#ifdef TWIN_LOOKS_ONCE
	halted(b);
#endif
	do
#ifndef TWIN_LOOKS_ONCE
	:: atomic { true -> b = false };
		halted(b); /* call */
#else
	:: true ->
#endif
		if
		:: atomic { !b && ready -> head++ };
			atomic { /* the function is called */
				assert(!calling && !over);
				calling = true;
				after = after + cancelled;
				assert(after <= 1) /* one that was taken up before Cancel returned */
			};
			if
			:: true /* it returns */
			:: stopped = true; /* it cancels: stop, which finds it running */
				atomic { assert(running && calling); ended = true; cancelled = true; after++ }
			:: atomic { true -> calling = false; handled++ }; /* it panics: broken */
				stopped = true;
				ended = true;
#ifndef TWIN_BROKEN_RUNS_ON
				running = false;
#endif
				finishHalted();
				goto out
			fi;
			atomic { calling = false; handled++ }
		:: b || !ready ->
			running = false;
#ifdef TWIN_IDLE_WITHOUT_LOOK
			break
#else
			halted(b);
			if
			:: b -> break
			:: atomic { !b && !ready -> break }
			:: atomic { !b && ready -> skip };
				if
				:: atomic { !running -> running = true }
				:: running -> break
				fi
			fi
#endif
		fi
	od;
	b = false;
#ifndef TWIN_GOES_WITHOUT_FINISH
	finish(b);
#endif
out:
	skip
}

/* Broadcast, so many times: to core.Sink.Offer */
proctype Writer(byte times) {
	byte n;

	do
	:: times == 0 -> break
	:: atomic { times > 0 && ended -> times = 0; n = 0 }
	:: atomic { times > 0 && !ended -> times--; inside++ };
		if
		:: atomic { tail - head >= LIMIT -> n = 0 }; /* Full: it is pruned */
			ended = true
		:: atomic { tail - head < LIMIT -> n = tail; tail++ };
#ifdef TWIN_WAKE_BEFORE_PUT
			rouse();
			published[n] = true
#else
			published[n] = true;
			rouse()
#endif
		fi;
		inside--
	od
}

proctype Ender() {
	if
	:: stopped = true; /* Subscription.Cancel */
		finishHalted();
		atomic { ended = true; cancelled = true }
	:: ended = true /* Fanout.Close */
	:: done = true; /* its context */
		if
		:: ended = true
		:: unseen = true
		fi
	fi
}

/* core: the grace, and then sink.Close */
proctype Reaper() {
	bool b;

	if
	:: ended && inside == 0 ->
		closed = true;
#ifndef TWIN_CLOSE_WITHOUT_FINISH
		finish(b)
#endif
	:: unseen
	fi
}

/* Subscription.Wait; it looks at the subscriber's context once */
proctype Waiter() {
	bool b;

	if
	:: over
#ifndef TWIN_WAITS_FOR_CLOSE
	:: done ->
		finish(b);
		over
#endif
	fi
}

init {
	atomic {
		run Writer(EVENTS / 2);
		run Writer(EVENTS - EVENTS / 2);
		run Ender();
		run Reaper();
		run Waiter()
	};
	atomic {
		_nr_pr == 1;
		assert(over && (closed || unseen) && !running && !calling && handled == head)
	}
}
