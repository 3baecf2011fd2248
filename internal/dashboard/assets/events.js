// The view of events: a histogram, facets, the list, and one event beside it.

import { get, getExpensive, Problem } from './api.js';
import { Detail } from './detail.js';
import { EventList, mostRows } from './eventlist.js';
import { Facets } from './facets.js';
import { excluding, filterOf, withFilter, withoutFilter } from './filter.js';
import { Histogram, Legend } from './histogram.js';
import { follow, pause, poll } from './live.js';
import { holds, List } from './list.js';
import { bounds, interval } from './range.js';
import { go } from './route.js';
import { seriesOf } from './series.js';
import { count, plural } from './text.js';
import { Empty, Trouble, explain, html, useEffect, useMemo, usePrefs, useRef, useState, useTask } from './ui.js';
import { setPrefs } from './prefs.js';

const pageSize = 200;
const buckets = 90;
const refreshEvery = 10_000;
const searchAhead = 20_000; // rows that a search loads by itself
const countBy = ['event_type', 'category', 'source'];

export function EventsView({ query, setError, setConnection, term, stats, setNames }) {
  const filter = filterOf(query).toString();
  const log = useLog(filter, setError, setConnection);
  const counts = useCounts(filter, setError, setNames, stats.current?.store.oldest?.timestamp);
  const { facets } = usePrefs();
  const [chosen, setChosen] = useState(null);
  const [selected, setSelected] = useState(null);
  const control = useRef({});
  const word = term.trim().toLowerCase();
  const rows = useMemo(() => (word ? log.list.rows.filter((row) => holds(row, word)) : log.list.rows), [log.list.rows, word]);
  const current = rows.find((row) => row.cursor === selected);

  const change = (next) => go({ view: 'events', query: next });
  const include = (name, value) => change(withFilter(query, name, value));
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
    ${facets && html`<${Facets} groups=${counts.facets} query=${query} include=${include} exclude=${exclude} remove=${remove} />`}
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

/** The events of a filter, live unless its range has an end. */
function useLog(filter, setError, setConnection) {
  const [, redraw] = useState(0);
  const ref = useRef(null);
  const [started, setStarted] = useState(0);
  const api = useMemo(() => {
    const list = new EventList();
    const log = { list, loading: true, failed: null, top: true, paused: false, live: false, scheduled: false };
    const draw = () => redraw((n) => n + 1);
    const schedule = () => {
      if (log.scheduled) return;
      log.scheduled = true;
      requestAnimationFrame(() => {
        log.scheduled = false;
        list.flush();
        draw();
      });
    };
    const settle = () => {
      const following = log.top && !log.paused;
      if (following === list.following) return;
      list.following = following;
      schedule();
    };
    log.setTop = (top) => {
      log.top = top;
      settle();
    };
    log.setPaused = (paused) => {
      log.paused = paused;
      settle();
      draw();
    };
    log.receive = (items) => {
      list.receive(items);
      schedule();
    };
    log.loadOlder = async () => {
      if (log.loading || !list.more || !log.signal || log.signal.aborted) return;
      log.loading = true;
      draw();
      await loadPage(log, filter);
      draw();
    };
    log.restart = () => setStarted((n) => n + 1);
    return log;
  }, [filter, started]);
  ref.current = api;
  useTask(async (signal) => {
    api.signal = signal;
    setError(null);
    const live = !new URLSearchParams(filter).has('until');
    try {
      // What comes after this place is followed, so nothing falls between the page and the stream.
      const end = live && (await get('/events', 'from=now&limit=1', { signal })).next;
      await loadPage(api, filter, true);
      redraw((n) => n + 1);
      if (signal.aborted) return;
      if (!live) {
        setConnection('done');
        return;
      }
      api.live = true;
      await follow(filter, api.list.rows.find((row) => !row.gap)?.cursor ?? end, { signal, receive: api.receive, state: setConnection });
    } catch (error) {
      if (signal.aborted) return;
      api.loading = false;
      api.failed = error;
      api.list.more = false;
      if (error instanceof Problem) {
        setError(explain(error));
        setConnection('wrong');
        redraw((n) => n + 1);
        return;
      }
      setConnection('connecting');
      await pause(2000, signal);
      if (!signal.aborted) api.restart();
    }
  }, [filter, started]);
  return api;
}

/** Loads the next older page, and further ones while they are empty. With thrown, errors are the caller's. */
async function loadPage(log, filter, thrown = false) {
  const { signal, list } = log;
  try {
    for (;;) {
      const query = new URLSearchParams(filter);
      query.set('order', 'desc');
      query.set('limit', pageSize);
      if (list.older) query.set('after', list.older);
      const page = await getExpensive('/events', query, { signal });
      list.addPage(page);
      if (page.where_errors) log.whereErrors = page.where_errors;
      if (page.events.length || !page.more) break;
    }
    log.failed = null;
  } catch (error) {
    if (thrown) throw error;
    if (!signal.aborted) log.failed = error;
  } finally {
    log.loading = false;
  }
}

/** Counts over time, and per event type and source, asked for again now and then. */
function useCounts(filter, setError, setNames, oldest) {
  const { by } = usePrefs();
  const [state, setState] = useState({ facets: [] });
  useTask(async (signal) => {
    setState((old) => ({ ...old, loading: true }));
    await poll(refreshEvery, signal, async () => {
      const query = new URLSearchParams(filter);
      const range = bounds(query, Date.now(), oldest && Date.parse(oldest));
      if (!range) return;
      try {
        const step = interval(range, buckets);
        const ask = (dimension, without, length) => {
          const q = new URLSearchParams([...query].filter(([name]) => name !== without));
          q.set('by', dimension);
          if (length) q.set('interval', length);
          return getExpensive('/counts', q, { signal });
        };
        const data = await overTime(ask, by, step);
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error: null, range, seconds: step.seconds, data: seriesOf(data, range, step.seconds), by: data.by }));
        const types = await ask('event_type', 'event_type');
        const sources = await ask('source', 'source');
        if (signal.aborted) return;
        const facets = [facetOf('event_type', 'Event type', types), facetOf('source', 'Source', sources)];
        setNames({ types: facets[0].values.map((v) => v.value), sources: facets[1].values.map((v) => v.value) });
        setState((old) => ({ ...old, facets }));
      } catch (error) {
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error }));
      }
    });
  }, [filter, by, oldest === undefined]);
  return state;
}

/** Counts over time; by category where there are too many event types for the answer. */
async function overTime(ask, by, step) {
  try {
    return await ask(by, '', step.text);
  } catch (error) {
    if (by !== 'event_type' || !(error instanceof Problem) || error.parameter !== 'interval') throw error;
    return ask('category', '', step.text);
  }
}

const facetOf = (name, label, answer) => ({
  name, label, values: answer.buckets.map((b) => ({ value: b[name] ?? '', count: b.count })).sort((a, b) => b.count - a.count),
});

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
  const name = counts.by === 'source' ? 'source' : 'event_type';
  const pattern = (value) => (counts.by === 'category' ? `${value}.*` : value);
  return html`<div class="counts">
    <div class="plot">${data && html`<${Histogram} data=${data} seconds=${counts.seconds} chosen=${chosen} hovered=${setAt} />`}</div>
    ${counts.error instanceof Problem && counts.error.status !== 400 && html`<${Trouble} error=${counts.error} />`}
    <div class="legendbar">
      ${data && html`<${Legend} data=${data} at=${at} include=${(v) => include(name, pattern(v))} exclude=${(v) => exclude(name, v)} />`}
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
  if (stats && stats.store.events === 0) {
    return html`<${Empty} title="No events yet">
      <p>Send some to the receiver: over OTLP to <code>http://localhost:4318/v1/logs</code> from any OpenTelemetry SDK, or as JSON:</p>
      <pre>curl http://localhost:4319/v1/events -H 'Content-Type: application/json' -d '{"event_type": "user.login", "source": "shop", "data": {"user": 7}}'</pre>
      <p>They show up here as they arrive.</p></${Empty}>`;
  }
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

function useKeys({ rows, selected, setSelected, open, chosen, setChosen, log, control }) {
  const state = useRef();
  state.current = { rows, selected, open, chosen, log };
  useEffect(() => {
    const onKey = (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('input, textarea, select, dialog[open]')) return;
      const s = state.current;
      const index = s.rows.findIndex((row) => row.cursor === s.selected);
      const move = (to) => {
        const row = s.rows[Math.max(0, Math.min(s.rows.length - 1, to))];
        if (!row) return;
        setSelected(row.cursor);
        control.current.reveal(s.rows.indexOf(row));
        if (s.chosen && !row.gap) setChosen(row);
      };
      const onButton = e.target.closest?.('button, a');
      if (e.key === 'j' || (e.key === 'ArrowDown' && e.target.closest?.('#list'))) move(index + 1);
      else if (e.key === 'k' || (e.key === 'ArrowUp' && e.target.closest?.('#list'))) move(index < 0 ? 0 : index - 1);
      else if (e.key === 'Enter' && index >= 0 && !onButton && !s.rows[index].gap) s.open(s.rows[index]);
      else if (e.key === 'Escape' && s.chosen) setChosen(null);
      else if (e.key === ' ' && !onButton) s.log.setPaused(s.log.list.following);
      else return;
      e.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
