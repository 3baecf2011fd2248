// The view of events: a histogram, facets, the list, and one event beside it.

import { Problem } from './api.js';
import { useCounts, useFieldFacets } from './counting.js';
import { Detail } from './detail.js';
import { mostRows } from './eventlist.js';
import { Facets } from './facets.js';
import { excluding, filterOf, including, ofSeverity, withFilter, withoutFilter } from './filter.js';
import { Histogram, Legend } from './histogram.js';
import { holds, List } from './list.js';
import { useKeys } from './listkeys.js';
import { useLog } from './log.js';
import { setPrefs } from './prefs.js';
import { go } from './route.js';
import { count, plural } from './text.js';
import { NoEventsYet } from './noevents.js';
import { Empty, Trouble, html, useMemo, usePrefs, useRef, useState } from './ui.js';

const searchAhead = 20_000; // rows that a search loads by itself
const countBy = ['event_type', 'category', 'source', 'severity'];

export function EventsView({ query, setError, setConnection, term, stats, setNames }) {
  const filter = filterOf(query).toString();
  const log = useLog(filter, setError, setConnection);
  const counts = useCounts(filter, setNames, stats.current?.store.oldest?.timestamp);
  const { facets, fields } = usePrefs();
  const fieldFacets = useFieldFacets(facets, filter, fields);
  const [chosen, setChosen] = useState(null);
  const [selected, setSelected] = useState(null);
  const control = useRef({});
  const word = term.trim().toLowerCase();
  const rows = useMemo(() => (word ? log.list.rows.filter((row) => holds(row, word)) : log.list.rows), [log.list.rows, word]);
  const current = rows.find((row) => row.cursor === selected);

  const change = (next) => go({ view: 'events', query: next });
  const include = (name, value) => change(withFilter(query, ...including(name, value)));
  const exclude = (name, value, path) => change(withFilter(query, 'where', excluding(name, value, path)));
  const remove = (name, value) => change(withoutFilter(query, name, value));
  const open = (row) => {
    setSelected(row.cursor);
    setChosen(row);
  };
  useKeys({ rows, selected, setSelected, open, chosen, setChosen, log, control });

  const atEnd = () => {
    if (log.list.rows.length < (word ? searchAhead : mostRows)) log.loadOlder();
  };
  return html`<div class=${`events ${chosen ? 'with-detail' : ''} ${facets ? 'with-facets' : ''}`}>
    ${facets && html`<${Facets} groups=${[...counts.facets, ...fieldFacets]} query=${query} include=${include} exclude=${exclude} remove=${remove} />`}
    <section class="middle">
      <${Counts} counts=${counts} query=${query} include=${include} exclude=${exclude} />
      <${Bar} log=${log} rows=${rows} word=${word} query=${query} facets=${facets} control=${control} />
      <${List} rows=${rows} selected=${selected} open=${open} atEnd=${atEnd} term=${word} control=${control}
        scrolled=${(top) => log.setTop(top)}
        status=${html`<${End} log=${log} rows=${rows} word=${word} query=${query} stats=${stats.current} />`} />
    </section>
    ${chosen && html`<${Detail} row=${current ?? chosen} close=${() => { setChosen(null); control.current.focus?.(); }} include=${include} exclude=${exclude}
      go=${(view, next) => go({ view, query: next })} />`}
  </div>`;
}

function Counts({ counts, query, include, exclude }) {
  const [at, setAt] = useState(null);
  const { by } = usePrefs();
  const chosen = ({ since, until }) => {
    const next = new URLSearchParams(query);
    next.set('since', new Date(since).toISOString());
    next.set('until', new Date(until).toISOString());
    go({ view: 'events', query: next });
  };
  const { data } = counts;
  const chooseSeries = (value) => {
    if (data.by === 'severity') include('where', ofSeverity(value));
    else include(data.by, value);
  };
  return html`<div class="counts">
    <div class="plot">${data && html`<${Histogram} data=${data} seconds=${counts.seconds} chosen=${chosen} hovered=${setAt} />`}</div>
    ${counts.error instanceof Problem && counts.error.status !== 400 && html`<${Trouble} error=${counts.error} />`}
    ${counts.partial && html`<p class="quiet">the newest ${counts.partial.events.toLocaleString()} of ${counts.partial.of.toLocaleString()} events were counted in time</p>`}
    <div class="legendbar">
      ${data && html`<${Legend} data=${data} at=${at} include=${chooseSeries} exclude=${(v) => exclude(data.by, v)} />`}
      <label class="by">by <select id="by" value=${by} onChange=${(e) => setPrefs({ by: e.target.value })}>
        ${countBy.map((v) => html`<option value=${v} selected=${v === by}>${v.replace('_', ' ')}</option>`)}</select></label>
    </div>
  </div>`;
}

function Bar({ log, rows, word, query, facets, control }) {
  const { list } = log;
  const resume = () => {
    control.current.toTop?.();
    log.setTop(true);
    log.setPaused(false);
  };
  const ended = query.has('until');
  return html`<div class="bar">
    <button type="button" class="small" id="facets" aria-pressed=${facets} onClick=${() => setPrefs({ facets: !facets })}>Facets</button>
    <span id="shown" class="quiet">${word ? `${count(rows.length)} of ` : ''}${plural(list.rows.length, 'row')} loaded</span>
    ${log.whereErrors && html`<span class="warn" title=${log.whereErrors.first}>${plural(log.whereErrors.events, 'event')} left out: the condition fails on them</span>`}
    <span class="push"></span>
    ${list.waiting > 0 && html`<button type="button" id="new" class="small primary" onClick=${resume}>${count(list.waiting)} new</button>`}
    <button type="button" id="pause" class="small" disabled=${ended} aria-pressed=${!list.following} title=${ended ? 'The range has an end' : 'Space'}
      onClick=${() => (list.following ? log.setPaused(true) : resume())}>${ended ? 'not live' : list.following ? 'Pause' : 'Resume'}</button>
  </div>`;
}

/** What stands at the end of the list, and in place of an empty one. */
function End({ log, rows, word, query, stats }) {
  const { list } = log;
  if (log.failed && !(log.failed instanceof Problem && log.failed.status === 400)) return html`<${Trouble} error=${log.failed} />`;
  if (log.loading) return html`<p class="end" role="status">Loading…</p>`;
  if (log.failed) return null;
  if (!rows.length && word && list.rows.length) return html`<${Empty} title=${`None of ${plural(list.rows.length, 'row')} holds “${word}”`}>
    ${list.more && html`<button type="button" onClick=${log.loadOlder}>Search older ones</button>`}</${Empty}>`;
  if (!rows.length) return html`<${Nothing} query=${query} stats=${stats} />`;
  if (list.more) {
    return html`<p class="end"><button type="button" class="small" onClick=${log.loadOlder}>Load older events</button>
      ${list.rows.length >= mostRows && ' Many rows are loaded: choose a range that ends earlier.'}</p>`;
  }
  return html`<p class="end">${query.has('since') ? 'No older events in this range.' : 'These are all.'}</p>`;
}

function Nothing({ query, stats }) {
  if (stats && stats.store.events === 0) return html`<${NoEventsYet} receivers=${stats.receivers} />`;
  const filters = [...filterOf(query)].filter(([name]) => name !== 'since' && name !== 'until');
  const wider = (change) => {
    const next = new URLSearchParams(query);
    change(next);
    go({ view: 'events', query: next });
  };
  return html`<${Empty} title="No events match">
    ${query.has('since') && html`<p>None has a time in this range. <button type="button" id="all-time" onClick=${() => wider((q) => { q.delete('since'); q.delete('until'); })}>Look at all time</button></p>`}
    ${filters.length > 0 && html`<p>The filters are ${filters.map(([n, v]) => html`<code>${n}=${v}</code> `)}
      <button type="button" onClick=${() => wider((q) => { for (const [n] of filters) q.delete(n); })}>Remove them</button></p>`}
  </${Empty}>`;
}
