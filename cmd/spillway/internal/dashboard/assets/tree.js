// The entities as a tree: what a colon separates is one below the other. It is the tree of the ARIA practices: one item has the
// focus of the keyboard, the arrows move it, right opens and left closes, Home and End go to the ends, Enter shows the tail.

import { askJSON } from './api.js';
import { byId, count, make } from './dom.js';

/** tree fills the tree, and calls choose with the entity that is chosen. It returns what begins anew. */
export function tree(choose) {
	const root = byId('tree'), said = byId('tree-said');

	async function fill(group, prefix, level) {
		const { children, more } = await askJSON('/v1/tree?' + new URLSearchParams(prefix ? { prefix } : {}));
		group.replaceChildren(...children.map(c => item(c, prefix ? `${prefix}:${c.name}` : c.name, level)));
		if (children.length === 0) return said.textContent = prefix ? '' : 'There are no entities yet.';
		said.textContent = more === true ? 'There are more than are shown.' : '';
	}

	function item(child, entity, level) {
		const li = make('li', '', make('span', 'label',
			make('span', 'mark'), make('span', 'name', child.name), ' ', make('span', 'number', count(child.events))));
		li.setAttribute('role', 'treeitem');
		li.setAttribute('aria-level', level);
		li.setAttribute('aria-selected', 'false');
		if (child.more) li.setAttribute('aria-expanded', 'false');
		li.tabIndex = -1;
		li.dataset.entity = entity;
		return li;
	}

	const items = () => [...root.querySelectorAll('[role=treeitem]')].filter(li => !li.parentElement.closest('[aria-expanded=false]'));

	function focus(li) {
		if (!li) return;
		for (const other of root.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
		li.tabIndex = 0;
		li.focus();
	}

	async function expand(li) {
		let group = li.querySelector(':scope > ul');
		if (!group) {
			group = make('ul', '');
			group.setAttribute('role', 'group');
			try {
				await fill(group, li.dataset.entity, Number(li.getAttribute('aria-level')) + 1);
			} catch (err) {
				said.textContent = err.message;
				return;
			}
			if (!li.querySelector(':scope > ul')) li.append(group);
		}
		li.setAttribute('aria-expanded', 'true');
	}

	function collapse(li) {
		li.setAttribute('aria-expanded', 'false');
		li.querySelector(':scope > ul')?.remove(); // what is opened again is asked for again
	}

	function select(li) {
		root.querySelector('[aria-selected=true]')?.setAttribute('aria-selected', 'false');
		li.setAttribute('aria-selected', 'true');
		choose(li.dataset.entity);
	}

	const keys = {
		ArrowDown: (li, all) => focus(all[all.indexOf(li) + 1]),
		ArrowUp: (li, all) => focus(all[all.indexOf(li) - 1]),
		Home: (li, all) => focus(all[0]),
		End: (li, all) => focus(all.at(-1)),
		ArrowRight: (li, all) => {
			const expanded = li.getAttribute('aria-expanded');
			if (expanded === 'false') return expand(li);
			if (expanded === 'true') focus(all[all.indexOf(li) + 1]);
		},
		ArrowLeft: li => li.getAttribute('aria-expanded') === 'true' ? collapse(li) : focus(li.parentElement.closest('[role=treeitem]')),
		Enter: select,
		' ': select,
	};

	root.addEventListener('keydown', e => {
		const li = e.target.closest('[role=treeitem]');
		if (!li || !keys[e.key] || e.altKey || e.ctrlKey || e.metaKey) return;
		e.preventDefault();
		keys[e.key](li, items());
	});

	root.addEventListener('click', e => {
		const li = e.target.closest('[role=treeitem]');
		if (!li) return;
		focus(li);
		if (!e.target.closest('.mark')) select(li);
		if (li.getAttribute('aria-expanded') === 'true') {
			if (e.target.closest('.mark')) collapse(li);
		} else if (li.hasAttribute('aria-expanded')) {
			expand(li);
		}
	});

	async function refresh() {
		try {
			await fill(root, '', 1);
			const first = root.querySelector('[role=treeitem]');
			if (first) first.tabIndex = 0;
		} catch (err) {
			said.textContent = err.message;
		}
	}
	byId('tree-refresh').addEventListener('click', refresh);
	refresh();
	return refresh;
}
