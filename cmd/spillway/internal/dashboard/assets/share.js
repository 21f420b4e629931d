// Which tab has the stream, and what the others get of it. A browser has six connections to a server over HTTP/1.1: with a
// stream each, the seventh tab would not even load.
//
// The tab that holds the lock "spillway-stream" leads: its Stream has the regions of all tabs, and it posts what comes. Each
// tab also holds a lock of its own name, so that one that has crashed is seen to be gone. When the leader goes the lock is
// another's. That one asks the tabs how far each has got and resumes from the earliest place: what the old leader had not
// posted comes again, and each tab passes over what it has by the sequence.

import { behind, earlier } from './place.js';
import { Stream } from './stream.js';
import { union } from './region.js';

const lockOf = tab => 'spillway-tab-' + tab;
const roll = 400; // ms for the tabs to answer a new leader
const gather = 40; // ms in which what comes is posted as one message
const sweep = 5000; // ms between two looks for tabs that are gone

export class Share {
	#tab = String(Math.random()).slice(2);
	#channel = null;
	#leads = false;
	#left = new AbortController(); // aborted when the tab is left
	#tabs = new Map(); // of a leader: the others, {region, place}
	#region = null;
	#last = null; // the place behind the last event that this tab has
	#batch = [];
	#posting = 0;
	#opening = 0;
	#open = null; // of a leader: the regions of its stream, in one text
	#began = null; // of a leader: the earliest place that its stream began at
	#state = { phase: 'connecting', detail: '', regions: [] };

	/** @param to {event(sequence, data), notice(name, data), state({phase, detail, regions, leads, shared})} */
	constructor(to) {
		this.to = to;
		this.stream = new Stream({
			event: (id, data) => this.#out({ id, data }),
			notice: (name, data) => this.#out({ name, data }),
			progress: place => this.#out({ place }),
			state: (phase, detail) => this.#said({ phase, detail, regions: (this.#open ?? '').split('\n').filter(Boolean) }),
		});
	}

	/** start joins the other tabs. Where there are no locks, over plain HTTP from afar, each tab has a stream. */
	async start() {
		if (!navigator.locks || !window.BroadcastChannel) return this.#lead();
		this.#channel = new BroadcastChannel('spillway');
		this.#channel.onmessage = e => this.#heard(e.data);
		addEventListener('pagehide', () => this.#leave());
		addEventListener('pageshow', e => e.persisted && location.reload());
		await new Promise(held => this.#hold(lockOf(this.#tab), held));
		this.#hold('spillway-stream', () => this.#lead());
		this.#present();
	}

	/** hold calls begin when this tab has a lock, and keeps it until the tab is left. */
	#hold(name, begin) {
		navigator.locks.request(name, { signal: this.#left.signal }, () => new Promise(release => {
			this.#left.signal.addEventListener('abort', release);
			begin();
		})).catch(err => {
			if (err.name !== 'AbortError') throw err; // it was still waiting
		});
	}

	/** leave gives up the locks and the stream. A page that is kept for the back button would have them otherwise. */
	#leave() {
		this.#leads = false;
		this.stream.close();
		this.#post({ kind: 'bye', tab: this.#tab });
		this.#left.abort();
	}

	/** want says which region this tab shows; null is none. */
	want(region) {
		if (this.#region === null) this.#last = null; // it has not kept up
		this.#region = region;
		if (this.#leads) this.#reopen(gather);
		else this.#present();
	}

	/** again has the leader try at once. */
	again() {
		if (this.#leads) this.stream.again();
		else this.#post({ kind: 'again' });
	}

	#post(message) {
		this.#channel?.postMessage(message);
	}

	/** place is where this tab would go on; a tab that shows nothing misses nothing. */
	#place() {
		return this.#region === null ? null : this.#last;
	}

	#present(called = false) {
		this.#post({ kind: 'tab', tab: this.#tab, region: this.#region, place: called ? this.#place() : null });
	}

	async #lead() {
		this.#leads = true;
		let wait = 0;
		if (this.#channel) {
			this.#post({ kind: 'call' });
			if (await this.#others() > 0) wait = roll;
			setInterval(() => this.#sweep(), sweep);
		}
		this.#reopen(wait);
	}

	async #names() {
		return new Set((await navigator.locks.query()).held.map(l => l.name));
	}

	async #others() {
		return [...await this.#names()].filter(n => n.startsWith(lockOf('')) && n !== lockOf(this.#tab)).length;
	}

	async #sweep() {
		const names = await this.#names();
		for (const tab of this.#tabs.keys()) if (!names.has(lockOf(tab))) this.#tabs.delete(tab);
		this.#reopen(0);
	}

	#heard(m) {
		switch (m.kind) {
		case 'batch':
			for (const item of m.items) this.#take(item);
			break;
		case 'state':
			this.#show(m.state);
			break;
		case 'call':
			this.#present(true);
			break;
		case 'tab':
			if (!this.#leads) break;
			this.#tabs.set(m.tab, m);
			this.#post({ kind: 'state', state: this.#state });
			this.#reopen(gather);
			break;
		case 'bye':
			if (this.#leads && this.#tabs.delete(m.tab)) this.#reopen(gather);
			break;
		case 'again':
			if (this.#leads) this.stream.again();
		}
	}

	/**
	 * reopen has the stream be what the tabs want, soon: unless it is that already. Where a tab has answered a new leader's call
	 * that it has got less far, the stream begins there.
	 */
	#reopen(wait) {
		if (!this.#leads || this.#opening) return;
		this.#opening = setTimeout(() => {
			this.#opening = 0;
			const tabs = [...this.#tabs.values()];
			const regions = union([this.#region, ...tabs.map(t => t.region)]).join('\n');
			const at = this.#open === null ? this.#place() : this.stream.place;
			let from = tabs.reduce((low, t) => earlier(low, t.place), at);
			for (const t of tabs) t.place = null; // told once
			// Whoever was as far as this leader's stream began has got, or will get, all that it has posted.
			if (this.#began && from?.log === this.#began.log && from.next >= this.#began.next) from = at;
			else this.#began = from;
			if (this.#open === regions && from?.next === at?.next) return;
			this.#open = regions;
			this.stream.open(regions.split('\n').filter(Boolean), from);
		}, wait);
	}

	/** out hands on what the stream has, to this tab at once. */
	#out(item) {
		this.#take(item);
		if (!this.#channel) return;
		this.#batch.push(item);
		this.#posting ||= setTimeout(() => {
			this.#posting = 0;
			this.#post({ kind: 'batch', items: this.#batch.splice(0) });
		}, gather);
	}

	#take(item) {
		if (item.name) return this.to.notice(item.name, item.data);
		if (item.place) { // a stream begins with the place that it was opened at: it leads nobody back
			if (this.#last?.log !== item.place.log || item.place.next > this.#last.next) this.#last = item.place;
			return;
		}
		const next = behind(item.id);
		if (next) {
			if (this.#last?.log === next.log && next.next <= this.#last.next) return; // it has that
			this.#last = next;
		}
		this.to.event(next ? next.next - 1 : 0, item.data);
	}

	#said(state) {
		this.#state = state;
		this.#post({ kind: 'state', state: this.#state });
		this.#show(this.#state);
	}

	#show(state) {
		this.to.state({ ...state, leads: this.#leads, shared: this.#channel !== null });
	}
}
