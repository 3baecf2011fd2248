// Values to choose from, with how many events have each.

import { get } from './api.js';
import { elements, including } from './filter.js';
import { prefs, setPrefs } from './prefs.js';
import { shortCount, visible, visibleLine } from './text.js';
import { html, useState } from './ui.js';

const shownAtFirst = 8;

/** groups are {name, label, values: [{value, count}], partial}; a field of the data can be removed. */
export function Facets({ groups, query, include, exclude, remove }) {
  return html`<nav class="facets" aria-label="Facets">
    ${groups.map((group) => html`<${Group} key=${group.name} group=${group} chosen=${chosenOf(query, including(group.name, '')[0])}
      include=${include} exclude=${exclude} remove=${remove} />`)}
    <${AddField} />
  </nav>`;
}

const chosenOf = (query, name) => query.getAll(name).flatMap((v) => (name.startsWith('data.') ? [v] : elements(v)));

function Group({ group, chosen, include, exclude, remove }) {
  const [all, setAll] = useState(false);
  const most = Math.max(1, ...group.values.map((v) => v.count));
  const shown = all ? group.values : group.values.slice(0, shownAtFirst);
  const field = group.name.startsWith('data.') && group.name.slice('data.'.length);
  const leaveOut = (value) => exclude(field ? 'data' : group.name, value, field ? field.split('.') : undefined);
  const isChosen = (value) => chosen.includes(including(group.name, value)[1]);
  const click = (e, value) => {
    if (e.altKey) leaveOut(value);
    else if (isChosen(value)) remove(...including(group.name, value));
    else include(group.name, value);
  };
  return html`<section>
    <h2>${group.label}${field && html`<button type="button" class="remove" aria-label=${`Remove the facet ${visibleLine(field)}`}
      onClick=${() => setPrefs({ fields: prefs.fields.filter((f) => f !== field) })}>×</button>`}</h2>
    <ul>${shown.map(({ value, count }) => html`<li key=${value}>
      <button type="button" aria-pressed=${isChosen(value)} title=${`${visible(value)}\nClick: only these. Alt-click: without these.`} onClick=${(e) => click(e, value)}>
        <i style=${{ width: `${(100 * count) / most}%` }} aria-hidden="true"></i><span>${visibleLine(value) || '(empty)'}</span><b>${shortCount(count)}</b></button>
      <button type="button" class="not" title="Without these" aria-label=${`Without ${group.label} ${visibleLine(value)}`} onClick=${() => leaveOut(value)}>≠</button></li>`)}
    </ul>
    ${!shown.length && html`<p class="quiet">none</p>`}
    ${group.partial && html`<p class="quiet">of the events counted in 2 s</p>`}
    ${group.values.length > shownAtFirst && html`<button type="button" class="small" onClick=${() => setAll(!all)}>${all ? 'Fewer' : `${group.values.length - shownAtFirst} more`}</button>`}
  </section>`;
}

/** Adds a field of the data to the facets; suggests those that events have. */
function AddField() {
  const [paths, setPaths] = useState(null);
  const suggest = async () => {
    if (paths) return;
    setPaths([]);
    try {
      const { event_types: types } = await get('/event-types');
      setPaths([...new Set(types.flatMap((t) => (t.fields ?? []).map((f) => f.path)))].sort());
    } catch {
      setPaths(null); // suggestions are no need
    }
  };
  const add = (e) => {
    const field = e.target.value.trim().replace(/^data\./, '');
    if (e.key !== 'Enter' || !field) return;
    e.target.value = '';
    setPrefs({ fields: [...prefs.fields.filter((f) => f !== field), field] });
  };
  return html`<label class="field"><span>Add a field</span>
    <input id="add-facet" type="text" list="field-paths" placeholder="user.country" spellcheck="false" autocomplete="off" onFocus=${suggest} onKeyDown=${add} />
    <datalist id="field-paths">${(paths ?? []).map((path) => html`<option value=${path}></option>`)}</datalist></label>`;
}
