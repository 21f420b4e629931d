// Subscriptions that ended, as they do, and what they missed.

import { byId, clock, count, make } from './dom.js';

const most = 100; // rows

/** prunes returns what takes the data of an "ended". */
export function prunes() {
	const list = byId('prunes-list'), total = byId('prunes-count'), none = byId('prunes-none');
	let seen = 0;
	return e => {
		seen += e.count ?? 1; // more than the server tells one by one come as a count
		total.textContent = count(seen);
		none.hidden = true;
		const missed = e.missed === undefined || e.missed === null || e.missed === 0 ? 'missed nothing' : `missed from ${e.missed} on`;
		const room = e.capacity ? `, held ${e.held} of ${e.capacity}` : '';
		const text = e.count ? [`${e.count} more ended`] : [
			make('strong', e.verdict || 'ended', e.verdict || e.cause || 'ended'), ' ',
			make('span', 'name', e.region || '*'), ` (${e.sink}): ${missed}${room}`,
			e.cause && e.verdict ? `: ${e.cause}` : '', make('br'),
			make('span', 'site', e.site || 'who subscribed is not recorded'),
		];
		list.prepend(make('li', '', make('time', '', clock(e.at)), ' ', ...text));
		while (list.children.length > most) list.lastChild.remove();
	};
}
