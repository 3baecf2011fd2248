// The frame around the views: header, filter bar, keys, and the numbers of the store.

import { AlertsView } from './alerts.js';
import { address, get } from './api.js';
import { ConsumersView } from './consumers.js';
import { curl, eventctl } from './copyas.js';
import { KeysDialog, TokenDialog } from './dialogs.js';
import { EventsView } from './events.js';
import { filterOf } from './filter.js';
import { FilterBar } from './filterbar.js';
import { poll } from './live.js';
import { prefs, setPrefs } from './prefs.js';
import { formatRoute, go, listen, parseRoute, views } from './route.js';
import { SystemView } from './system.js';
import { shortCount, visibleLine } from './text.js';
import { TraceView } from './trace.js';
import { TypesView } from './types.js';
import { Copy, explain, html, render, useEffect, usePrefs, useRef, useState, useTask } from './ui.js';

const refreshEvery = 2000;
const titles = { events: 'Events', types: 'Types', trace: 'Trace', consumers: 'Consumers', alerts: 'Alerts', system: 'System' };
const filtered = ['events', 'types'];
const states = { live: 'live', connecting: 'connecting again', paused: 'paused in the background', wrong: 'see the filter', done: 'range ends: not live' };

function App() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const [error, setError] = useState(null);
  const [connection, setConnection] = useState('connecting');
  const [term, search] = useState('');
  const [names, setNames] = useState({ types: [], sources: [] });
  const [keys, setKeys] = useState(false);
  const [stats, setStats] = useState({ current: null, error: null });
  const { theme, utc } = usePrefs();
  const remembered = useRef(null); // the query of the views that have one

  useEffect(() => {
    if (!location.hash) go(parseRoute(''), true);
    listen((next) => setRoute(next));
  }, []);
  useTask((signal) => poll(refreshEvery, signal, async () => {
    try {
      const current = await get('/stats', '', { signal });
      setStats({ current, error: null });
    } catch (e) {
      if (!signal.aborted) setStats((old) => ({ ...old, error: e }));
    }
  }), []);
  useEffect(() => {
    const onKey = (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('input, textarea, select, dialog[open]')) return;
      const focus = (id) => document.getElementById(id)?.focus();
      if (e.key === '/') focus('event_type');
      else if (e.key === 'f') focus('find');
      else if (e.key === '?') setKeys(true);
      else if (/^[1-6]$/.test(e.key)) document.getElementById(`view-${views[e.key - 1]}`).click();
      else return;
      e.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    document.title = `${titles[route.view]} · ISBL Telemetry`;
  }, [route.view]);

  const { view, query } = route;
  if (filtered.includes(view)) remembered.current = query;
  const link = (to) => {
    if (filtered.includes(to)) return formatRoute({ view: to, query: remembered.current ?? parseRoute('').query });
    return formatRoute({ view: to, query: new URLSearchParams(to === 'trace' && query.has('trace_id') ? { trace_id: query.get('trace_id') } : '') });
  };
  const oldest = stats.current?.store.oldest?.timestamp;
  const store = stats.current?.store;
  const unhealthy = store && store.health.status !== 'ok' && (store.health.detail || store.health.status);
  return html`
    <header class="top">
      <h1><svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="4" /><path d="M3 9h2l2-5 2 8 2-4h2" /></svg><span>ISBL Telemetry</span></h1>
      <nav class="views" aria-label="Views">${views.map((v) => html`<a id=${`view-${v}`} href=${link(v)} aria-current=${v === view ? 'page' : undefined}>${titles[v]}${v === 'system' && unhealthy && html`<span class="alarm" title=${unhealthy}> !</span>`}</a>`)}</nav>
      <span class="push"></span>
      ${store && html`<span id="instance" class="quiet" title="Source id, storage, events kept, stored per second">${visibleLine(stats.current.source_id)} · ${store.storage} · ${shortCount(store.events)} events · ${shortCount(stats.current.rates.stored_per_second)}/s</span>`}
      ${view === 'events' && html`<span id="connection" class=${connection} role="status">${states[connection]}</span>`}
      ${stats.error && html`<span class="connecting" id="connection" role="status">${explain(stats.error).parameter || 'no answer'}</span>`}
      <button type="button" class="small" id="zone" aria-pressed=${utc} title="Times in UTC or local" onClick=${() => setPrefs({ utc: !prefs.utc })}>${utc ? 'UTC' : 'local'}</button>
      <button type="button" class="small" id="theme" title="Colours: as the system, dark, light" onClick=${() => setPrefs({ theme: { system: 'dark', dark: 'light', light: 'system' }[theme] })}>${theme}</button>
      <button type="button" class="small" id="help" aria-label="Keys" title="Keys (?)" onClick=${() => setKeys(true)}>?</button>
    </header>
    ${filtered.includes(view) && html`<${FilterBar} query=${query} change=${(next) => go({ view, query: next })} error=${error} names=${names} term=${term} search=${search}
      oldest=${oldest && Date.parse(oldest)} />`}
    <main>
      ${view === 'events' && html`<${EventsView} query=${query} setError=${setError} setConnection=${setConnection} term=${term} stats=${stats} setNames=${setNames} />`}
      ${view === 'types' && html`<${TypesView} query=${query} setError=${setError} term=${term} oldest=${oldest} />`}
      ${view === 'trace' && html`<${TraceView} query=${query} setError=${setError} />`}
      ${view === 'consumers' && html`<${ConsumersView} query=${query} open=${(name) => go({ view, query: new URLSearchParams(name && { name }) })} />`}
      ${view === 'alerts' && html`<${AlertsView} query=${query} open=${(name) => go({ view, query: new URLSearchParams(name && { name }) })} />`}
      ${view === 'system' && html`<${SystemView} stats=${stats.current} statsError=${stats.error} />`}
    </main>
    <${Footer} view=${view} query=${query} />
    <${TokenDialog} />
    <${KeysDialog} open=${keys} close=${() => setKeys(false)} />`;
}

const calls = { events: ['/events', ['get']], types: ['/counts', ['counts']], trace: ['/events', ['get', '--all']], consumers: ['/consumers', ['consumers', 'list']],
  alerts: ['/prometheus/api/v1/alerts', ['alerts']], system: ['/stats', ['stats']] };

function Footer({ view, query }) {
  const consumer = view === 'consumers' && query.get('name');
  const [path, command] = consumer ? [`/consumers/${encodeURIComponent(consumer)}`, ['consumers', 'show', consumer]] : calls[view];
  const filter = filtered.includes(view) || view === 'trace' ? filterOf(query) : new URLSearchParams();
  const origin = new URL('.', document.baseURI).href.replace(/\/$/, '');
  return html`<footer><span class="quiet">Copy as</span>
    <${Copy} label="curl" text=${() => curl(address(path, filter))} /><${Copy} label="eventctl" text=${() => eventctl(command, filter, origin)} /><${Copy} label="link" text=${() => location.href} />
    <span class="push"></span><a href="api/v1">API</a><a href="api/v1/openapi.yaml">OpenAPI</a></footer>`;
}

render(html`<${App} />`, document.getElementById('app'));
