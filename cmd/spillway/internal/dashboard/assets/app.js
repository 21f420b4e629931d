// The page: its parts, and the stream that feeds them.

import { byId, count } from './dom.js';
import { charts } from './charts.js';
import { prunes } from './prunes.js';
import { session } from './session.js';
import { Share } from './share.js';
import { subscriptions } from './subscriptions.js';
import { Tail } from './tail.js';
import { tree } from './tree.js';

const phases = {
	connecting: 'connecting',
	live: 'live',
	waiting: 'not connected',
	token: 'the server asks for a token',
};

const drawn = charts(), ended = prunes();

function stats(s) {
	drawn(s);
	if (s.log) tail.log(s.log.next);
	if (s.log?.next > 0 && !byId('tree').firstElementChild) refreshTree(); // the page was there before the first event
	const facts = {
		'stat-live': s.live, 'stat-broadcasts': s.broadcasts, 'stat-accepted': s.accepted,
		'stat-pruned': s.prunedFull + s.prunedClosed, 'stat-lost': s.lost, 'stat-next': s.log?.next, 'stat-streams': s.streams?.open,
	};
	for (const [id, n] of Object.entries(facts)) byId(id).textContent = n === undefined ? '–' : count(n);
}

const notices = {
	stats,
	ended,
	reset: r => tail.reset(r.detail),
	'spillway.gap': g => tail.gap(g),
	'spillway.end': () => {}, // the EventSource comes back by itself
};

const share = new Share({
	event: (sequence, data) => tail.event(sequence, data),
	notice: (name, data) => notices[name]?.(JSON.parse(data)),
	state: s => {
		const state = byId('state');
		state.dataset.phase = s.phase;
		state.textContent = phases[s.phase] + (s.detail && s.phase === 'waiting' ? `: ${s.detail}` : '');
		byId('shared').textContent = s.leads ? (s.shared ? 'this tab has the stream' : 'tabs can’t share a stream here') : 'another tab has the stream';
		document.documentElement.dataset.leads = s.leads;
		tail.state(s);
	},
});

const tail = new Tail(region => share.want(region));
const refreshTree = tree(entity => tail.show(`entity=${entity}`, byId('tail-from').value.trim()));
const refreshSubscriptions = subscriptions();

session(() => {
	share.again();
	refreshTree();
	refreshSubscriptions();
});

tail.show('*', '');
await share.start();
