// Asking for a token, where the server wants one. It goes into the body of one request, and the cookie that comes back is out of
// any script's reach.

import { ask, asked } from './api.js';
import { byId } from './dom.js';

/** session shows the form when the server refuses, and calls done when it no longer does. */
export function session(done) {
	const form = byId('session'), token = byId('token'), said = byId('token-said');
	asked.addEventListener('token', () => {
		if (!form.hidden) return;
		form.hidden = false;
		token.focus();
	});
	form.addEventListener('submit', async e => {
		e.preventDefault();
		const body = token.value;
		token.value = '';
		said.textContent = '';
		try {
			await ask('/v1/session', { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });
		} catch (err) {
			said.textContent = err.message;
			token.focus();
			return;
		}
		form.hidden = true;
		done();
	});
}
