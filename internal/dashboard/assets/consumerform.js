// Making a consumer, and moving one.

import { call } from './api.js';
import { definitionOf, withLimits } from './definition.js';
import { typedTime } from './range.js';
import { prefs } from './prefs.js';
import { explain, html, useState } from './ui.js';

const filters = [
  ['event_type', 'Event types', 'all; or user.*, alert.*'],
  ['source', 'Sources', 'all; or shop'],
  ['min_severity', 'Lowest severity', 'any; or error'],
  ['where', 'Condition (OTTL)', 'attributes["total"] > 100'],
  ['from', 'From', 'start; or now, 2h, a time, a cursor'],
];
const limits = [
  ['max_deliver', 'Deliveries at most', '5; 0 is without end'],
  ['ack_wait', 'Time of a lease', '30s'],
  ['max_in_flight', 'In flight at most', '10000'],
  ['expires_after', 'Removed when unused for', 'never; or 7d'],
];

/**
 * Asks for a new consumer, or for other limits of one that exists. done gets the name, or nothing when nothing was changed.
 */
export function ConsumerForm({ existing, done }) {
  const [error, setError] = useState(null);
  const submit = async (e) => {
    e.preventDefault();
    const text = Object.fromEntries([...e.target.elements].filter((field) => field.name).map((field) => [field.name, field.value.trim()]));
    text.from = typedTime(text.from ?? '', prefs.utc, 'now');
    const name = existing?.name ?? text.name;
    const body = existing ? withLimits(existing.definition, definitionOf(text)) : definitionOf(text);
    try {
      await call(`/consumers/${encodeURIComponent(name)}`, '', { method: 'PUT', body });
      done(name);
    } catch (problem) {
      setError(problem);
    }
  };
  const wrong = error && explain(error).field;
  const field = (name, label, placeholder, required) => html`<label class=${`field ${wrong === name ? 'wrong' : ''}`}><span>${label}</span>
    <input name=${name} placeholder=${placeholder} required=${required} aria-invalid=${wrong === name} spellcheck="false" autocomplete="off"
      defaultValue=${String(existing?.definition[name] ?? '')} /></label>`;
  const title = existing ? 'Change limits' : 'New consumer';
  return html`<form class="consumer" id="consumer-form" onSubmit=${submit} aria-label=${title}><h2>${title}</h2>
    <div class="formgrid">${!existing && [['name', 'Name', 'billing', true], ...filters].map((one) => field(...one))}${limits.map((one) => field(...one))}</div>
    ${error && html`<p class="trouble" role="alert">${explain(error).text}</p>`}
    <p class="actions bar"><button type="submit" class="primary">${existing ? 'Change' : 'Create'}</button><button type="button" onClick=${() => done()}>Cancel</button>
      ${!existing && html`<span class="quiet">The filter and the start cannot be changed later; the limits can.</span>`}</p></form>`;
}

/** Moves a consumer to another place; asked for twice. */
export function Seek({ act }) {
  const [from, setFrom] = useState('');
  const [asked, setAsked] = useState(false);
  const submit = (e) => {
    e.preventDefault();
    if (asked) act(typedTime(from, prefs.utc, 'now'));
    setAsked(!asked);
  };
  return html`<form class="inline" id="seek" onSubmit=${submit}>
    <input aria-label="Go on from" value=${from} required placeholder="start, now, 2h, a time, a cursor" spellcheck="false" autocomplete="off"
      onInput=${(e) => { setFrom(e.target.value); setAsked(false); }} />
    <button type="submit" class=${`small ${asked ? 'danger' : ''}`} onBlur=${() => setAsked(false)}>${asked ? 'Seek: sure? Open leases are lost.' : 'Seek'}</button></form>`;
}
