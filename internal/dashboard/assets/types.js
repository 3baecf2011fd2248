// The view of event types: how many there are of each, and how that goes over time.

import { getExpensive } from './api.js';
import { Catalogue, changeNames } from './catalogue.js';
import { filterOf, including, withFilter } from './filter.js';
import { poll } from './live.js';
import { bounds, interval } from './range.js';
import { formatRoute, go } from './route.js';
import { prefs } from './prefs.js';
import { count, shortCount, visible, visibleLine } from './text.js';
import { ago, full } from './time.js';
import { trends } from './trends.js';
import { Empty, Time, explain, html, useEffect, usePrefs, useState, useTask } from './ui.js';

const buckets = 40;
const refreshEvery = 10_000;
const catalogueEvery = 60_000;

export function TypesView({ query, setError, term, oldest }) {
  usePrefs();
  const filter = filterOf(query).toString();
  const [state, setState] = useState({});
  const [order, setOrder] = useState('count');
  const [chosen, setChosen] = useState('');
  useTask((signal) => poll(refreshEvery, signal, async () => {
    const q = new URLSearchParams(filter);
    const range = bounds(q, Date.now(), oldest && Date.parse(oldest));
    try {
      const step = range ? interval(range, buckets) : undefined;
      if (step) q.set('interval', step.text);
      const answer = await getExpensive('/counts', q, { signal });
      setError(null);
      setState({ types: range ? trends(answer, range, step.seconds) : [] });
    } catch (error) {
      if (signal.aborted) return;
      setError(explain(error));
      setState((old) => ({ ...old, error }));
    }
  }), [filter, oldest === undefined]);
  const [known, setKnown] = useState(new Map()); // what the catalogue has of each type
  const patterns = query.getAll('event_type').join(',');
  useTask((signal) => poll(catalogueEvery, signal, async () => {
    try {
      const { event_types: list } = await getExpensive('/event-types', patterns && new URLSearchParams({ event_type: patterns }), { signal });
      setKnown(new Map(list.map((type) => [type.event_type, type])));
    } catch { /* the counts say what is wrong */ }
  }), [patterns]);
  useEffect(() => {
    const onKey = (e) => e.key === 'Escape' && setChosen('');
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const { types, error } = state;
  if (!types) return html`<div class="page">${!error && html`<p class="end" role="status">Loading…</p>`}</div>`;
  const word = term.trim().toLowerCase();
  const shown = types.filter((t) => t.name.toLowerCase().includes(word))
    .sort((a, b) => (order === 'name' ? (a.name < b.name ? -1 : 1) : valueOf(b, order) - valueOf(a, order)));
  const head = (key, text, className = 'n', title = '') => html`<th scope="col" class=${className} aria-sort=${order === key ? (key === 'name' ? 'ascending' : 'descending') : undefined}>
    <button type="button" title=${title} onClick=${() => setOrder(key)}>${text}</button></th>`;
  return html`<div class=${`typesview ${chosen ? 'with-detail' : ''}`}><div class="page">
    ${!types.length && html`<${Empty} title="No events in this range"></${Empty}>`}
    ${types.length > 0 && html`<div class="scroll-x"><table id="types"><thead><tr>
        ${head('name', 'event type', '')}${head('count', 'events')}${head('rate', 'per minute')}<th scope="col">over time</th>
        ${head('growth', 'growth', 'n', 'How many more the second half of the range has than the first')}${head('factor', 'times', 'n', 'How many times as many the second half of the range has')}<th scope="col">first seen</th><th scope="col">last seen</th><th scope="col">sources</th><th scope="col">fields</th><td></td></tr></thead>
      <tbody>${shown.map((t) => html`<tr key=${t.name} class=${chosen === t.name ? 'chosen' : ''}>
        <th scope="row"><button type="button" class="link" aria-expanded=${chosen === t.name} onClick=${() => setChosen(chosen === t.name ? '' : t.name)}>${visibleLine(t.name)}</button></th>
        <td class="n">${count(t.count)}</td><td class="n">${t.rate < 0.1 ? '<0.1' : shortCount(t.rate)}</td>
        <td><${Spark} values=${t.values} /></td>
        <td class=${`n ${t.growth > 0 ? 'up' : ''}`}>${t.growth > 0 ? '+' : ''}${count(t.growth)}</td><td class="n quiet">${t.factor ? `×${t.factor}` : 'new'}</td>
        <${Known} type=${known.get(t.name)} />
        <td><a href=${formatRoute({ view: 'events', query: narrowed(filter, t.name) })} aria-label=${`Events of ${visibleLine(t.name)}`}>events</a></td></tr>`)}</tbody></table></div>`}
    </div>
    ${chosen && html`<${Catalogue} name=${chosen} close=${() => setChosen('')}
      include=${(path, value) => go({ view: 'events', query: withFilter(narrowed(filter, chosen), `data.${path}`, value) })} />`}
  </div>`;
}

/** What types are sorted by; one that is new grew more than any other. */
const valueOf = (type, order) => (order === 'factor' ? type.factor || Number.MAX_VALUE : type[order]);

/** When and where a type was seen, and which of its fields are not what they were. */
function Known({ type }) {
  if (!type) return html`<td></td><td></td><td></td><td></td>`;
  const changed = (type.fields ?? []).filter((field) => field.change);
  return html`<td>${type.first && html`<${Time} value=${type.first} digits=${0} date=${true} />`}</td>
    <td title=${type.last && full(type.last, prefs.utc)}>${type.last && ago(type.last)}</td>
    <td class="clip" title=${type.sources?.map(visible).join('\n')}>${type.sources?.map(visibleLine).join(', ')}</td>
    <td>${changed.length ? html`<span class="change" title=${changed.map((f) => `${visible(f.path)}: ${changeNames[f.change]}`).join('\n')}>${changed.length} changed</span>`
    : type.fields && html`<span class="quiet">${type.fields.length}</span>`}</td>`;
}

function narrowed(filter, name) {
  const q = new URLSearchParams(filter);
  q.set(...including('event_type', name));
  return q;
}

function Spark({ values }) {
  const most = Math.max(1, ...values);
  const width = 120 / values.length;
  return html`<svg class="spark" viewBox="0 0 120 22" preserveAspectRatio="none" role="img" aria-label=${`at most ${most}`}>
    ${values.map((v, i) => v > 0 && html`<rect x=${i * width} width=${Math.max(0.5, width - 0.6)} y=${22 - Math.max(1, (21 * v) / most)} height=${Math.max(1, (21 * v) / most)}></rect>`)}</svg>`;
}
