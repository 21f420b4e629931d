// Asking the server. Everybody is told when it wants a token.

/** A Refusal is an answer that is no success; its message is what the server says to do. */
export class Refusal extends Error {
	constructor(status, message, problem) {
		super(message);
		this.status = status;
		this.problem = problem; // the body, {} where there was none
	}
}

export const asked = new EventTarget(); // "token": the server wants one

/** refusal reads an RFC 9457 body, or makes do without. */
export async function refusal(response) {
	let message = `the server answers ${response.status}`, problem = {};
	try {
		problem = await response.json();
		message = [problem.title, problem.detail].filter(Boolean).join(': ') || message;
	} catch { /* no JSON: the status has to do */ }
	if (response.status === 401) asked.dispatchEvent(new Event('token'));
	return new Refusal(response.status, message, problem);
}

/** ask fetches a path, or throws a Refusal. */
export async function ask(path, options = {}) {
	const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
	if (!response.ok) throw await refusal(response);
	return response;
}

export const askJSON = async (path, options) => (await ask(path, options)).json();
