// Values to choose from, with how many events have each.

import { useState, html } from './ui.js';
import { shortCount, visible, visibleLine } from './text.js';

const shownAtFirst = 8;

/** groups are {name, label, values: [{value, count}]}. */
export function Facets({ groups, query, include, exclude, remove }) {
  return html`<nav class="facets" aria-label="Facets">
    ${groups.map((group) => html`<${Group} key=${group.name} group=${group} chosen=${chosenOf(query, group.name)}
      include=${include} exclude=${exclude} remove=${remove} />`)}
  </nav>`;
}

const chosenOf = (query, name) => query.getAll(name).flatMap((v) => (name.startsWith('data.') ? [v] : v.split(',')));

function Group({ group, chosen, include, exclude, remove }) {
  const [all, setAll] = useState(false);
  const most = Math.max(1, ...group.values.map((v) => v.count));
  const shown = all ? group.values : group.values.slice(0, shownAtFirst);
  const click = (e, value) => {
    if (e.altKey) exclude(group.name, value);
    else if (chosen.includes(value)) remove(group.name, value);
    else include(group.name, value);
  };
  return html`<section>
    <h2>${group.label}</h2>
    <ul>${shown.map(({ value, count }) => html`<li key=${value}>
      <button type="button" aria-pressed=${chosen.includes(value)} title=${`${visible(value)}\nClick: only these. Alt-click: without these.`} onClick=${(e) => click(e, value)}>
        <i style=${{ width: `${(100 * count) / most}%` }} aria-hidden="true"></i><span>${visibleLine(value) || '(empty)'}</span><b>${shortCount(count)}</b></button></li>`)}
    </ul>
    ${!shown.length && html`<p class="quiet">none</p>`}
    ${group.values.length > shownAtFirst && html`<button type="button" class="small" onClick=${() => setAll(!all)}>${all ? 'Fewer' : `${group.values.length - shownAtFirst} more`}</button>`}
  </section>`;
}
