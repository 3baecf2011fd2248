// The view of event types: how many there are of each, and how that goes over time.

import { getExpensive } from './api.js';
import { Catalogue } from './catalogue.js';
import { filterOf, withFilter } from './filter.js';
import { poll } from './live.js';
import { bounds, interval } from './range.js';
import { formatRoute, go } from './route.js';
import { count, shortCount, visibleLine } from './text.js';
import { trends } from './trends.js';
import { Empty, Trouble, explain, html, useEffect, useState, useTask } from './ui.js';

const buckets = 40;
const refreshEvery = 10_000;

export function TypesView({ query, setError, term, oldest }) {
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
  useEffect(() => {
    const onKey = (e) => e.key === 'Escape' && setChosen('');
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const { types, error } = state;
  if (!types) return html`<div class="page">${!error && html`<p class="end" role="status">Loading…</p>`}</div>`;
  const word = term.trim().toLowerCase();
  const shown = types.filter((t) => t.name.toLowerCase().includes(word))
    .sort((a, b) => (order === 'name' ? (a.name < b.name ? -1 : 1) : b[order] - a[order]));
  const head = (key, text, className = 'n', title = '') => html`<th scope="col" class=${className} aria-sort=${order === key ? (key === 'name' ? 'ascending' : 'descending') : undefined}>
    <button type="button" title=${title} onClick=${() => setOrder(key)}>${text}</button></th>`;
  return html`<div class=${`typesview ${chosen ? 'with-detail' : ''}`}><div class="page">
    ${!types.length && html`<${Empty} title="No events in this range"></${Empty}>`}
    ${types.length > 0 && html`<div class="scroll-x"><table id="types"><thead><tr>
        ${head('name', 'event type', '')}${head('count', 'events')}${head('rate', 'per minute')}<th scope="col">over time</th>
        ${head('growth', 'growth', 'n', 'Second half of the range against the first')}<td></td></tr></thead>
      <tbody>${shown.map((t) => html`<tr key=${t.name} class=${chosen === t.name ? 'chosen' : ''}>
        <th scope="row"><button type="button" class="link" aria-expanded=${chosen === t.name} onClick=${() => setChosen(chosen === t.name ? '' : t.name)}>${visibleLine(t.name)}</button></th>
        <td class="n">${count(t.count)}</td><td class="n">${t.rate < 0.1 ? '<0.1' : shortCount(t.rate)}</td>
        <td><${Spark} values=${t.values} /></td>
        <td class=${`n ${t.growth > 0 ? 'up' : ''}`}>${t.growth > 0 ? '+' : ''}${count(t.growth)}${t.factor ? html` <span class="quiet">×${t.factor}</span>` : html` <span class="quiet">new</span>`}</td>
        <td><a href=${formatRoute({ view: 'events', query: narrowed(filter, t.name) })} aria-label=${`Events of ${visibleLine(t.name)}`}>events</a></td></tr>`)}</tbody></table></div>`}
    </div>
    ${chosen && html`<${Catalogue} name=${chosen} close=${() => setChosen('')}
      include=${(path, value) => go({ view: 'events', query: withFilter(narrowed(filter, chosen), `data.${path}`, value) })} />`}
  </div>`;
}

function narrowed(filter, name) {
  const q = new URLSearchParams(filter);
  q.set('event_type', name);
  return q;
}

function Spark({ values }) {
  const most = Math.max(1, ...values);
  const width = 120 / values.length;
  return html`<svg class="spark" viewBox="0 0 120 22" preserveAspectRatio="none" role="img" aria-label=${`at most ${most}`}>
    ${values.map((v, i) => v > 0 && html`<rect x=${i * width} width=${Math.max(0.5, width - 0.6)} y=${22 - Math.max(1, (21 * v) / most)} height=${Math.max(1, (21 * v) / most)}></rect>`)}</svg>`;
}
