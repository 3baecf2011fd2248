// The fields of an event type.

import { including } from './filter.js';
import { get } from './api.js';
import { stringify } from './json.js';
import { schemaOf } from './schema.js';
import { plural, visible, visibleLine } from './text.js';
import { Copy, Time, Trouble, html, useState, useTask } from './ui.js';

export const changeNames = { appeared: 'new lately', vanished: 'gone lately', kind: 'changed its kind' };

/** include gets a path and a value. */
export function Catalogue({ name, include, close }) {
  const [state, setState] = useState({});
  useTask(async (signal) => {
    setState({});
    try {
      const answer = await get('/event-types', new URLSearchParams([including('event_type', name)]), { signal });
      setState({ type: answer.event_types.find((t) => t.event_type === name), done: true });
    } catch (error) {
      if (!signal.aborted) setState({ error });
    }
  }, [name]);
  const { type, error, done } = state;
  return html`<aside class="detail" id="catalogue" aria-label="Event type">
    <header><h2>${visibleLine(name)}</h2><button type="button" class="icon" aria-label="Close (Esc)" title="Close (Esc)" onClick=${close}>×</button></header>
    <${Trouble} error=${error} />
    ${!error && !done && html`<p class="end" role="status">Loading…</p>`}
    ${done && !type && html`<p class="quiet">No events of this type are kept.</p>`}
    ${type && html`
      <p class="quiet">${plural(type.count, 'event')} kept${type.first && html`, from <${Time} value=${type.first} digits=${0} date=${true} /> to <${Time} value=${type.last} digits=${0} date=${true} />`}</p>
      ${type.sources && html`<p class="quiet">from ${type.sources.map((s) => html`<code>${visibleLine(s)}</code> `)}</p>`}
      <div class="actions bar"><${Copy} label="Copy JSON Schema" text=${() => stringify(schemaOf(type), '', '  ')} /></div>
      <h3>Fields <span class="hint">as ${plural(type.sampled ?? 0, 'event')} have them, the oldest and the newest</span></h3>
      ${type.fields?.length === 0 && html`<p class="quiet">The events have no data.</p>`}
      <ul class="fields">${(type.fields ?? []).map((field) => html`<${Field} key=${field.path} field=${field} include=${include} />`)}</ul>
      ${type.more_fields > 0 && html`<p class="quiet">${plural(type.more_fields, 'more field')} not listed.</p>`}`}
  </aside>`;
}

function Field({ field, include }) {
  const kinds = Object.keys(field.kinds).sort().join(', ');
  const share = `${Math.round(100 * field.share)} %`;
  return html`<li>
    <div class="head"><code class="path">${visibleLine(field.path)}</code> <span class="quiet">${kinds}</span>
      ${field.change && html`<span class="change">${changeNames[field.change]}</span>`}
      <span class="push"></span>${field.min !== undefined && html`<span class="quiet">${String(field.min)} … ${String(field.max)}</span>`}
      <span class="share" title="Share of the events that have it">${share}</span></div>
    <div class="meter" aria-hidden="true"><i class="good" style=${{ flexGrow: field.share }}></i><i class="none" style=${{ flexGrow: 1 - field.share }}></i></div>
    ${field.values.length > 0 && html`<p class="values">${field.values.map((v) => html`<button type="button" class="small" key=${v.value} title=${`${visible(v.value)}\n${plural(v.count, 'event')}. Click: show them.`}
      onClick=${() => include(field.path, v.value)}>${visibleLine(v.value) || '(empty)'}</button>`)}
      ${(field.more || field.distinct > field.values.length) && html`<span class="quiet">of ${field.more ? 'more than ' : ''}${field.distinct}</span>`}</p>`}
  </li>`;
}
