// Making elements. Text is a text node, whatever is in it.

export const byId = id => document.getElementById(id);

/** make returns an element with a class, and children that are elements or become text. */
export function make(tag, name, ...children) {
	const element = document.createElement(tag);
	if (name) element.className = name;
	element.append(...children.map(c => c instanceof Node ? c : String(c)));
	return element;
}

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = n => n < 10000 ? String(n) : short.format(n);

const two = n => String(n).padStart(2, '0');

/** clock is the time of day of milliseconds since 1970; "" for none. */
export function clock(ms) {
	const d = new Date(ms);
	return Number.isNaN(d.valueOf()) || !ms ? '' : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** site is the line that subscribed: its file and folder, the rest where the pointer rests. */
export function site(text) {
	const shown = make('span', 'site', text ? text.split('/').slice(-2).join('/') : 'not recorded');
	shown.title = text ?? '';
	return shown;
}
