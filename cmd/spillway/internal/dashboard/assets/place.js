// Places in a log: {log, next}, next being the sequence of the first event that is not there yet. Texts are "3f2a91bc-41".

/** parsePlace reads a place, or returns null. */
export function parsePlace(text) {
	const found = /^([0-9a-f]{8})-(\d+)$/.exec(text ?? '');
	return found && { log: found[1], next: Number(found[2]) };
}

/** behind is the place behind an event, by its id. */
export function behind(id) {
	const at = parsePlace(id);
	return at && { log: at.log, next: at.next + 1 };
}

export const placeText = place => `${place.log}-${place.next}`;

/** earlier is whichever of two places has more behind it; what is in another log than the first doesn't count. */
export function earlier(a, b) {
	if (!a || !b) return a ?? b;
	return b.log === a.log && b.next < a.next ? b : a;
}
