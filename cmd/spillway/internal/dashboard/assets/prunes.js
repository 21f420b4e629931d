// Subscriptions that ended, as they do, and what they missed.

import { byId, clock, count, make, site } from './dom.js';

const most = 100; // rows

const plain = cause => cause.replace(/^spillway\/[a-z]+: /, '');

/** prunes returns what takes the data of an "ended". */
export function prunes() {
	const list = byId('prunes-list'), total = byId('prunes-count'), none = byId('prunes-none');
	let seen = 0;
	return e => {
		seen += e.count ?? 1; // more than the server tells one by one come as a count
		total.textContent = count(seen);
		none.hidden = true;
		const missed = e.missed === undefined || e.missed === null ? 'missed nothing' : `missed from ${e.missed} on`;
		const room = e.capacity ? `, held ${e.held} of ${e.capacity}` : '';
		const text = e.count ? [`${e.count} more ended`] : [
			// A prune's cause says again what its figures say.
			make('strong', e.verdict || 'ended', e.verdict ? `pruned: ${e.verdict}` : plain(e.cause ?? 'ended')), ' ',
			make('span', 'name', e.region || '*'), ` (${e.sink}): ${missed}${room}`, make('br'),
			site(e.site),
		];
		list.prepend(make('li', '', make('time', '', clock(e.at)), ' ', ...text));
		while (list.children.length > most) list.lastChild.remove();
	};
}
