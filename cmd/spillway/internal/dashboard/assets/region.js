// Regions: the canonical text that the server reads, and which events are in one.

const order = ['entity', 'scope', 'kind', 'category', 'lane'];
const shapes = {
	entity: /^[^|=/\x00-\x1f\x7f]+$/, // with spaces, if it has any
	scope: /^[^|=/\x00-\x1f\x7f]+$/,
	kind: /^0x[0-9a-f]:0x[0-9a-f]{3}$/,
	category: /^0x[0-9a-f]$/,
	lane: /^(0|[1-9][0-9]*)$/,
};

/** tidy is what somebody has typed, less the space around fields. */
export const tidy = typed => typed.trim().replace(/\s*\|\s*/g, '|');

/**
 * parse reads a region, its fields in any order, and returns them by name. "" and "*" are everything.
 * What can't be read is an Error that says what to write.
 */
export function parse(text) {
	const region = {};
	if (text === '' || text === '*') return region;
	for (const field of text.split('|')) {
		const at = field.indexOf('=');
		const name = field.slice(0, Math.max(at, 0)), value = field.slice(at + 1);
		if (!shapes[name]) throw new Error(`“${field}”: want ${order.join('=, ')}= or *`);
		if (!shapes[name].test(value)) throw new Error(`“${value}” is no ${name}`);
		if (name in region) throw new Error(`${name} is there twice`);
		region[name] = value;
	}
	if (region.kind && region.category) throw new Error('a kind has its category: want one of the two');
	return region;
}

/** format is the canonical text of what parse returned. */
export const format = region =>
	order.filter(name => name in region).map(name => `${name}=${region[name]}`).join('|') || '*';

/** matches tells whether an event, as the server's JSON has it, is in a region. An entity is in its own and in each above it. */
export const matches = (region, e) =>
	(!('entity' in region) || e.entity === region.entity || e.entity.startsWith(region.entity + ':')) &&
	(!('scope' in region) || e.scope === region.scope) &&
	(!('kind' in region) || e.kind === region.kind) &&
	(!('category' in region) || e.kind.startsWith(region.category + ':')) &&
	(!('lane' in region) || String(e.lane) === region.lane);

const mostRegions = 16; // the server's bound for a stream

/** union is the regions of which the events of all of them come. */
export function union(texts) {
	const all = [...new Set(texts.filter(Boolean))].sort();
	return all.includes('*') || all.length > mostRegions ? ['*'] : all;
}
