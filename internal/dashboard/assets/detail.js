// One event, whole.

import { including } from './filter.js';
import { get } from './api.js';
import { stringify } from './json.js';
import { loudness, severityName } from './row.js';
import { formatRoute } from './route.js';
import { visible, visibleLine } from './text.js';
import { full, fromNanos, nanos } from './time.js';
import { Tree } from './tree.js';
import { Copy, Trouble, html, usePrefs, useState, useTask } from './ui.js';

const forms = [['data', 'Data'], ['json', 'JSON'], ['cloudevent', 'CloudEvent']];
const around = 30_000_000_000n; // nanoseconds before and after an event

/** The query that finds the event of a row again. */
function queryOf(row, format) {
  const query = new URLSearchParams({ since: row.timestamp, until: fromNanos(nanos(row.timestamp) + 1n), limit: '1000' });
  if (row.id && !/,|…$/.test(row.id)) query.set('event_id', row.id);
  if (format) query.set('format', format);
  return query;
}

/** include and exclude get a parameter's name and a value, exclude a path too. go leads to a view with a query. */
export function Detail({ row, close, include, exclude, go }) {
  const { utc } = usePrefs();
  const [state, setState] = useState({});
  const [form, setForm] = useState('data');
  useTask(async (signal) => {
    setState((old) => ({ ...old, error: undefined }));
    try {
      const page = await get('/events', queryOf(row), { signal });
      const event = page.events.find((e) => e.cursor === row.cursor);
      setState({ event, gone: !event });
    } catch (error) {
      if (!signal.aborted) setState({ error });
    }
  }, [row.cursor]);
  const { event, error, gone } = state;
  const current = event?.cursor === row.cursor ? event : undefined;
  const byId = () => location.href.replace(/#.*$/, '') + formatRoute({ view: 'events', query: new URLSearchParams([including('event_id', row.id)]) });
  return html`<aside class="detail" id="detail" aria-label="Event" tabindex="-1">
    <header>
      <h2 class=${loudness(row.severity)}>${visibleLine(row.type)}</h2>
      <button type="button" class="icon" aria-label="Close (Esc)" title="Close (Esc)" onClick=${close}>×</button>
    </header>
    <p class="quiet">${full(row.timestamp, utc)}${row.severity ? ` · ${severityName(row.severity)}` : ''} · ${visibleLine(row.source)}</p>
    <div class="tabbar"><div class="tabs" role="tablist" aria-label="Form">
        ${forms.map(([name, text]) => html`<button type="button" role="tab" id=${`form-${name}`} aria-selected=${form === name} onClick=${() => setForm(name)}>${text}</button>`)}
      </div><${Copy} label="Copy link" text=${byId} /></div>
    <${Trouble} error=${error} />
    ${gone && html`<p class="trouble">This event is not kept any more.</p>`}
    ${current && form === 'data' && html`<${Parts} event=${current} include=${include} exclude=${exclude} go=${go} />`}
    ${current && form === 'json' && html`<${Text} text=${stringify(current, '', '  ')} />`}
    ${current && form === 'cloudevent' && html`<${CloudEvent} row=${row} />`}
  </aside>`;
}

function Parts({ event, include, exclude, go }) {
  const time = nanos(event.timestamp);
  const nearby = new URLSearchParams({ since: fromNanos(time - around), until: fromNanos(time + around) });
  const trace = event.metadata.trace_id;
  return html`
    <div class="actions bar">
      ${trace && html`<button type="button" id="open-trace" onClick=${() => go('trace', new URLSearchParams({ trace_id: trace }))}>All of this trace</button>`}
      <button type="button" id="around" onClick=${() => go('events', nearby)}>Around this event (±30 s)</button>
    </div>
    <h3>Data</h3>
    <${Tree} value=${event.data} include=${(path, value) => include(`data.${path.join('.')}`, typeof value === 'string' ? value : stringify(value))}
      exclude=${(path, value) => exclude('data', value, path)} />
    <h3>Event</h3>
    <dl class="tree">
      ${[['event_type', event.event_type], ['source', event.source], ['event_id', event.event_id]].map(([name, value]) => html`
        <dt>${name}</dt><dd class="value string"><code>${visible(value)}</code><span class="actions">
          <button type="button" class="small" title="Filter for this value" aria-label=${`Filter for this ${name}`} onClick=${() => include(name, value)}>=</button>
          ${name !== 'event_id' && html`<button type="button" class="small" title="Filter this value out" aria-label=${`Filter this ${name} out`} onClick=${() => exclude(name, value)}>≠</button>`}
          <${Copy} text=${value} title="Copy the value" /></span></dd>`)}
      <dt>timestamp</dt><dd class="value"><code>${event.timestamp}</code><span class="actions"><${Copy} text=${event.timestamp} title="Copy the value" /></span></dd>
      <dt>cursor</dt><dd class="value"><code>${event.cursor}</code><span class="actions"><${Copy} text=${event.cursor} title="Copy the value" /></span></dd>
    </dl>
    <h3>Metadata</h3>
    <${Tree} value=${event.metadata} />`;
}

function Text({ text }) {
  return html`<div class="actions bar"><${Copy} text=${text} /></div><pre class="json">${visible(text)}</pre>`;
}

function CloudEvent({ row }) {
  const [state, setState] = useState({});
  useTask(async (signal) => {
    try {
      const query = queryOf(row, 'cloudevents');
      const list = await get('/events', query, { signal });
      setState({ event: list.find((e) => e.id === row.id) ?? list[0] });
    } catch (error) {
      if (!signal.aborted) setState({ error });
    }
  }, [row.cursor]);
  if (state.error) return html`<${Trouble} error=${state.error} />`;
  return state.event ? html`<${Text} text=${stringify(state.event, '', '  ')} />` : null;
}
