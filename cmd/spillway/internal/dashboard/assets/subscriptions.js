// The table of subscriptions, the fullest first.

import { askJSON } from './api.js';
import { byId, clock, count, make, site } from './dom.js';

const every = 2000; // ms
const most = 100; // rows

const share = s => s.capacity ? s.held / s.capacity : 0;

function row(s) {
	const full = make('meter', '');
	full.max = Math.max(1, s.capacity);
	full.value = s.held;
	full.high = 0.75 * full.max;
	full.optimum = 0;
	full.textContent = `${s.held} of ${s.capacity}`;
	const room = s.capacity ? `${count(s.held)} of ${count(s.capacity)}` : '–';
	const cell = (name, label, ...children) => {
		const td = make('td', name, ...children);
		td.dataset.label = label; // on a phone, where there is no heading
		return td;
	};
	return make('tr', share(s) >= 0.75 ? 'filling' : '',
		cell('', 'full', full, ' ', room),
		cell('name', 'region', s.region || '*'),
		cell('', 'sink', s.sink),
		cell('number', 'lost', count(s.lost ?? 0)),
		cell('', 'since', clock(Date.parse(s.since) || Number(s.since))),
		cell('', 'from', site(s.site)));
}

/** subscriptions shows them while the page is looked at, and returns what asks at once. */
export function subscriptions() {
	const body = byId('subscriptions-rows'), said = byId('subscriptions-said');
	let asking = false;
	async function refresh() {
		if (document.hidden || asking) return;
		asking = true;
		try {
			const { subscriptions, more } = await askJSON('/v1/subscriptions');
			const sorted = subscriptions.sort((a, b) => share(b) - share(a) || b.held - a.held);
			body.replaceChildren(...sorted.slice(0, most).map(row));
			const left = sorted.length - most;
			said.textContent = sorted.length === 0 ? 'There are none.' : left > 0 || more ? 'There are more, none of them fuller.' : '';
		} catch (err) {
			said.textContent = err.message;
		} finally {
			asking = false;
		}
	}
	setInterval(refresh, every);
	document.addEventListener('visibilitychange', refresh);
	refresh();
	return refresh;
}
