// The live tail of a region, and the replay before it.

import { ask } from './api.js';
import { byId, clock, count, make } from './dom.js';
import { parsePlace } from './place.js';
import { format, matches, parse, tidy } from './region.js';

const most = 200; // rows
const longest = 2000; // characters of a payload
const page = 500; // events of the log that are asked for at a time
const mostHeld = 10000; // events that wait for a replay's end

/** payloadOf is the payload as it was sent: read as JSON, a number of many digits would be another. */
function payloadOf(data, e) {
	if ('payload_base64' in e) return 'base64 ' + e.payload_base64;
	const at = data.indexOf(',"payload":'); // no name has this in it: there it would read \"payload\"
	return at < 0 ? '' : data.slice(at + ',"payload":'.length, data.lastIndexOf('}'));
}

function row(sequence, data, e) {
	const payload = payloadOf(data, e);
	return make('li', '',
		make('span', 'number', `#${sequence || '–'}`), ' ', make('time', '', clock(e.wall_ms ?? e.time)), ' ',
		make('span', 'name', e.entity), ' ', make('span', 'quiet', `${e.scope} ${e.kind} lane ${e.lane}`), ' ',
		make('code', '', payload.length > longest ? payload.slice(0, longest) + '…' : payload));
}

/** A Tail shows the events of one region. The rows are bounded, the count is not. */
export class Tail {
	#region = {};
	#text = '*';
	#since = 0; // the first sequence that is the tail's: an older one comes for another tab
	#seen = 0;
	#rows = [];
	#drawing = 0;
	#replay = null; // {held, again, over}: a replay is under way, and events of the stream wait
	#covered = () => {}; // called when the stream has the region
	#state = { phase: '', regions: [] };
	#next = 0;

	/** @param want is told the region that the stream is to have, or null */
	constructor(want) {
		this.want = want;
		this.list = byId('tail-list');
		this.said = byId('tail-said');
		this.input = byId('tail-region');
		this.button = byId('tail-pause');
		byId('tail').addEventListener('submit', e => {
			e.preventDefault();
			this.show(tidy(this.input.value), byId('tail-from').value.trim());
		});
		this.button.addEventListener('click', () => {
			if (this.button.getAttribute('aria-pressed') === 'true') return this.show(this.#text, '');
			this.#stop();
			this.want(null);
			this.#press(true);
			this.said.textContent = 'Paused: what comes meanwhile is not shown.';
		});
	}

	#press(paused) {
		this.button.setAttribute('aria-pressed', paused);
	}

	#stop() {
		if (this.#replay) this.#replay.over = true;
		this.#replay = null;
	}

	/** show begins a tail, from a sequence of the log on where from isn't "". */
	show(text, from) {
		let region;
		try {
			region = parse(text);
			if (from !== '' && from !== 'start' && !/^\d+$/.test(from)) throw new Error('from: want a sequence, or start');
		} catch (err) {
			this.input.setAttribute('aria-invalid', 'true');
			this.said.textContent = err.message;
			return;
		}
		this.#stop();
		this.input.removeAttribute('aria-invalid');
		this.#region = region;
		this.#text = this.input.value = format(region);
		this.#since = this.#next;
		this.#seen = 0;
		this.#rows = [];
		this.list.replaceChildren();
		this.#count();
		this.#press(false);
		this.said.textContent = '';
		this.want(this.#text);
		if (from !== '') this.#read(from === 'start' ? from : Number(from));
	}

	/** state is told what the stream does. */
	state(state) {
		this.#state = state;
		if (this.#isCovered()) this.#covered();
	}

	#isCovered() {
		return this.#state.phase === 'live' && (this.#state.regions.includes('*') || this.#state.regions.includes(this.#text));
	}

	/** log is told where the log ends. */
	log(next) {
		this.#next = next;
	}

	/** event takes one of the stream's events, of whatever region. */
	event(sequence, data) {
		if (this.button.getAttribute('aria-pressed') === 'true') return;
		const e = JSON.parse(data);
		if (!matches(this.#region, e)) return;
		if (!this.#replay) {
			if (!sequence || sequence >= this.#since) this.#add(sequence, data, e);
			return;
		}
		if (this.#replay.held.push([sequence, data, e]) > mostHeld) { // the log has them: it is read on
			this.#replay.held = [];
			this.#replay.again = true;
		}
	}

	/** gap says that retention has dropped what the stream should have had. */
	gap({ asked, left }) {
		this.#rows.push(make('li', 'gap', `The log has dropped ${asked} to ${left - 1}.`));
		this.#draw();
	}

	/** reset says that the log is another one. */
	reset(why) {
		this.#since = this.#next = 0;
		this.#rows.push(make('li', 'gap', `The log is another one: ${why}`));
		this.#draw();
	}

	/**
	 * read pages through the log from a sequence on until a page is empty that was asked for when the stream had the region:
	 * what came later is on the stream, and waited.
	 */
	async #read(from) {
		const replay = this.#replay = { held: [], again: false, over: false };
		this.said.textContent = 'Replaying …';
		try {
			await new Promise(done => {
				this.#covered = done;
				if (this.#isCovered()) done();
			});
			let at = from;
			for (let empty = false; !empty && !replay.over;) {
				replay.again = false;
				const next = await this.#page(replay, at);
				empty = next === at && !replay.again;
				at = next;
			}
			if (replay.over) return;
			this.#replay = null;
			this.#since = at;
			for (const [sequence, data, e] of replay.held) if (sequence >= at) this.#add(sequence, data, e);
			this.said.textContent = '';
		} catch (err) {
			if (replay.over) return;
			this.#replay = null;
			this.said.textContent = `The replay ends: ${err.message}`;
		}
	}

	/** page shows a page of the log, from a sequence on or from "start", and returns where the next one begins: at the same place if there is nothing. */
	async #page(replay, at) {
		const query = new URLSearchParams({ region: this.#text, from: at, limit: page });
		let response;
		try {
			response = await ask('/v1/log?' + query);
		} catch (err) {
			const { left } = err.problem ?? {};
			if (left === undefined || replay.over) throw err;
			this.gap({ asked: at, left }); // retention was quicker
			return left;
		}
		for (const data of (await response.text()).split('\n')) {
			if (data === '' || replay.over) continue;
			const e = JSON.parse(data);
			this.#add(e.sequence, data, e);
		}
		// Where the server has read to, whether or not what is there is of the region.
		return parsePlace(response.headers.get('Spillway-Next')).next;
	}

	#add(sequence, data, e) {
		byId('tail-count').dataset.count = ++this.#seen; // what is read by programs is there without a frame
		this.#rows.push([sequence, data, e]);
		if (this.#rows.length > most) this.#rows.shift();
		this.#draw();
	}

	/** draw shows what has come since the last frame; a page that nobody sees has no frames. */
	#draw() {
		this.#drawing ||= requestAnimationFrame(() => {
			this.#drawing = 0;
			const atTop = this.list.scrollTop < 4, before = this.list.scrollHeight;
			this.list.prepend(...this.#rows.splice(0).reverse().map(r => r instanceof Node ? r : row(...r)));
			while (this.list.children.length > most) this.list.lastChild.remove();
			if (!atTop) this.list.scrollTop += this.list.scrollHeight - before; // whoever reads further down stays there
			this.#count();
		});
	}

	#count() {
		byId('tail-count').textContent = count(this.#seen);
		byId('tail-count').dataset.count = this.#seen;
	}
}
