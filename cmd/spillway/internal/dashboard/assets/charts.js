// Rates and lag, of the last two minutes.

import { byId, count } from './dom.js';

const points = 120; // one a second

/** A Chart draws some lines over time. Its table of numbers is beside it in words, for whoever can't see it. */
class Chart {
	#data;
	#plot = null;

	/** @param lines [{label, colour, dash}], the colour a custom property of the style sheet */
	constructor(id, lines) {
		this.box = byId(id);
		this.words = byId(id + '-words');
		this.lines = lines;
		this.#data = [[], ...lines.map(() => [])];
		new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.box);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
		this.draw();
	}

	#size() {
		return { width: Math.max(200, this.box.clientWidth), height: 180 };
	}

	/** draw begins anew, in the colours of now. */
	draw() {
		const style = getComputedStyle(document.documentElement);
		const colour = name => style.getPropertyValue(name).trim();
		const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
		this.#plot?.destroy();
		this.#plot = new uPlot({
			...this.#size(),
			cursor: { drag: { x: false, y: false } },
			legend: { live: false },
			scales: { y: { range: (u, min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
			axes: [axis, { ...axis, size: 54, values: (u, ticks) => ticks.map(count) }],
			series: [{}, ...this.lines.map(l => ({ label: l.label, stroke: colour(l.colour), dash: l.dash, width: 2, points: { show: false } }))],
		}, this.#data, this.box);
	}

	add(seconds, values) {
		[seconds, ...values].forEach((v, i) => {
			this.#data[i].push(v);
			if (this.#data[i].length > points) this.#data[i].shift();
		});
		this.words.textContent = this.lines.map((l, i) => `${l.label} ${count(Math.round(values[i]))}`).join(', ');
		if (!document.hidden) this.#plot.setData(this.#data);
	}
}

/** charts returns what takes the stats of each second. */
export function charts() {
	const rates = new Chart('rates', [
		{ label: 'broadcasts/s', colour: '--a' },
		{ label: 'accepted/s', colour: '--b', dash: [6, 3] },
		{ label: 'pruned/s', colour: '--bad', dash: [2, 3] },
	]);
	const lag = new Chart('lag', [
		{ label: 'events behind', colour: '--a' },
		{ label: 'followers catching up', colour: '--b', dash: [6, 3] },
	]);
	let before = null;
	return stats => {
		const seconds = before ? (stats.at - before.at) / 1000 : 0;
		if (seconds > 0) {
			// A server that was restarted counts from 0 again.
			const rate = of => Math.max(0, of(stats) - of(before)) / seconds;
			rates.add(stats.at / 1000, [
				rate(s => s.broadcasts), rate(s => s.accepted), rate(s => s.prunedFull + s.prunedClosed),
			]);
			lag.add(stats.at / 1000, [stats.followers?.lag ?? 0, stats.followers?.catchingUp ?? 0]);
		}
		if (seconds !== 0 || !before) before = stats;
	};
}
