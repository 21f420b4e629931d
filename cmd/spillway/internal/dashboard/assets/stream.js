// The one EventSource, and how it comes back.

import { refusal } from './api.js';
import { behind, parsePlace, placeText } from './place.js';

const own = ['stats', 'ended', 'spillway.gap', 'spillway.end'];
const longest = 15000; // ms between two tries

/**
 * A Stream keeps an EventSource open on /v1/activity. An EventSource that loses its connection comes back by itself with the last
 * event's id. One that is refused gives up, and doesn't say why: then a fetch asks, and a new one goes on from the place.
 *
 * The place is known before the first event, from the header of a request that is broken off at once. A stream that is lost
 * before its first event therefore loses nothing either.
 */
export class Stream {
	#source = null;
	#regions = [];
	#asking = null; // the AbortController of a fetch under way
	#timer = 0;
	#tries = 0;
	place = null;

	/** @param to {event(id, data), progress(place), notice(name, data), state(phase, detail)} */
	constructor(to) {
		this.to = to;
	}

	/** open streams regions from a place on; null is from now on. */
	open(regions, place) {
		this.close();
		this.#regions = regions;
		this.place = regions.length ? place : null; // without a region there is nothing to miss
		this.#ask();
	}

	/** again tries at once: somebody has given a token. */
	again() {
		this.#tries = 0;
		this.open(this.#regions, this.place);
	}

	close() {
		clearTimeout(this.#timer);
		this.#source?.close();
		this.#source = null;
		this.#asking?.abort();
	}

	#url() {
		const query = new URLSearchParams(this.#regions.map(r => ['region', r]));
		if (this.place) query.set('from', placeText(this.place));
		return '/v1/activity?' + query;
	}

	/** ask looks whether the stream can be had, and from where on. */
	async #ask() {
		const asking = this.#asking = new AbortController();
		this.to.state('connecting', '');
		try {
			const response = await fetch(this.#url(), { signal: asking.signal, cache: 'no-store' });
			if (asking.signal.aborted) return;
			if (!response.ok) {
				const why = await refusal(response);
				if (!asking.signal.aborted) this.#refused(why);
				return;
			}
			if (this.#regions.length) this.place ??= parsePlace(response.headers.get('Spillway-From'));
			asking.abort();
			this.#connect();
		} catch {
			if (!asking.signal.aborted) this.#later('the server can’t be reached');
		}
	}

	#refused(why) {
		switch (why.status) {
		case 401:
			return this.to.state('token', why.message); // again is called when there is one
		case 410:
			this.place = null; // what was there is gone; what comes from now on is not
			this.to.notice('reset', JSON.stringify({ detail: why.message }));
		}
		this.#later(why.message);
	}

	#later(why) {
		this.to.state('waiting', why);
		const wait = Math.min(longest, 500 * 2 ** this.#tries++);
		this.#timer = setTimeout(() => this.open(this.#regions, this.place), wait * (0.5 + Math.random()));
	}

	#connect() {
		const source = this.#source = new EventSource(this.#url());
		source.onopen = () => {
			this.#tries = 0;
			this.to.state('live', '');
		};
		source.onmessage = e => {
			this.place = behind(e.lastEventId) ?? this.place;
			this.to.event(e.lastEventId, e.data);
		};
		source.addEventListener('spillway.progress', e => {
			this.place = parsePlace(JSON.parse(e.data).from) ?? this.place;
			this.to.progress(this.place);
		});
		for (const name of own) source.addEventListener(name, e => this.to.notice(name, e.data));
		source.onerror = () => {
			if (source !== this.#source) return;
			if (source.readyState !== EventSource.CLOSED) return this.to.state('waiting', 'the connection is lost');
			this.#source = null;
			this.#later('the stream was refused');
		};
	}
}
