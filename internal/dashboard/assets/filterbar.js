// The filter bar over all views.

import { chips, typed, withFilter, withoutFilter } from './filter.js';
import { bounds, durationMillis, label, presets, typedTime, zoomOut } from './range.js';
import { visible, visibleLine } from './text.js';
import { full } from './time.js';
import { html, useEffect, usePrefs, useRef, useState } from './ui.js';

/** change gets the next query. error is what the server said about the present one. */
export function FilterBar({ query, change, error, names, term, search, oldest }) {
  const add = (name, value) => change(withFilter(query, name, value));
  const wrong = error?.parameter ?? '';
  return html`
    <div class="filterbar" role="search" aria-label="Filter">
      <${RangePicker} query=${query} change=${change} oldest=${oldest} bad=${wrong === 'since' || wrong === 'until'} />
      <${Patterns} name="event_type" label="Event type" placeholder="user.*, alert.*" query=${query} change=${change} options=${names.types} bad=${wrong === 'event_type'} />
      <${Patterns} name="source" label="Source" placeholder="shop" query=${query} change=${change} options=${names.sources} bad=${wrong === 'source'} />
      <${Adder} add=${add} />
      <input id="find" class="find" type="search" aria-label="Find in the rows shown" placeholder="Find in rows" value=${term}
        onInput=${(e) => search(e.target.value)} spellcheck="false" />
    </div>
    <${Chips} query=${query} change=${change} wrong=${wrong} />
    ${error && html`<p class="trouble" id="trouble" role="alert">${error.text}</p>`}`;
}

/** A list of patterns, with commas between them as the API takes it. */
function Patterns({ name, label: text, placeholder, query, change, options, bad }) {
  const present = query.getAll(name).join(', ');
  const apply = (value) => {
    const list = value.split(',').map((p) => p.trim()).filter(Boolean);
    if (list.join(', ') === present) return;
    const next = new URLSearchParams([...query].filter(([n]) => n !== name));
    if (list.length) next.set(name, list.join(','));
    change(next);
  };
  const submit = (e) => {
    if (e.key === 'Enter') apply(e.target.value);
  };
  return html`<label class="field ${bad ? 'wrong' : ''}"><span>${text}</span>
    <input id=${name} type="text" list=${`${name}-names`} placeholder=${placeholder} value=${present} spellcheck="false" autocomplete="off"
      aria-invalid=${bad} onKeyDown=${submit} onChange=${(e) => apply(e.target.value)} />
    <datalist id=${`${name}-names`}>${options.map((o) => html`<option value=${o}></option>`)}</datalist></label>`;
}

function Adder({ add }) {
  const submit = (e) => {
    if (e.key !== 'Enter') return;
    const filter = typed(e.target.value);
    if (!filter) return;
    e.target.value = '';
    add(...filter);
  };
  return html`<label class="field grow"><span>Add a filter</span>
    <input id="add" type="text" placeholder="order_id=4711, “words”, a trace id, or an OTTL condition" spellcheck="false" autocomplete="off"
      onKeyDown=${submit} /></label>`;
}

function Chips({ query, change, wrong }) {
  const list = chips(query).filter(({ name }) => name !== 'event_type' && name !== 'source');
  if (!list.length) return null;
  return html`<div class="chips">
    ${list.map(({ name, value }) => html`<span class="chip ${name === wrong ? 'wrong' : ''}" key=${`${name}=${value}`}>
      <span class="name">${visibleLine(name.replace(/^data\./, ''))}</span><span class="value" title=${visible(value)}>${visibleLine(value)}</span>
      <button type="button" aria-label=${`Remove the filter ${visibleLine(name)} ${visibleLine(value)}`} onClick=${() => change(withoutFilter(query, name, value))}>×</button>
    </span>`)}
    ${list.length > 1 && html`<button type="button" class="small" onClick=${() => {
      let next = query;
      for (const { name, value } of list) next = withoutFilter(next, name, value);
      change(next);
    }}>Remove all</button>`}
  </div>`;
}

function RangePicker({ query, change, oldest, bad }) {
  const { utc } = usePrefs();
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const close = (e) => {
      if (e.type === 'keydown' ? e.key === 'Escape' : !root.current.contains(e.target)) setOpen(false);
      if (e.type === 'keydown' && e.key === 'Escape') e.stopPropagation();
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close, true);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close, true);
    };
  }, [open]);
  const set = (since, until) => {
    const next = new URLSearchParams([...query].filter(([n]) => n !== 'since' && n !== 'until'));
    if (since) next.set('since', since);
    if (until) next.set('until', until);
    setOpen(false);
    change(next);
  };
  const wider = () => {
    const now = Date.now();
    const present = bounds(query, now, oldest);
    if (!present) return;
    const { since, until } = zoomOut(present, now);
    set(new Date(since).toISOString(), until >= now ? '' : new Date(until).toISOString());
  };
  const absolute = (e) => {
    e.preventDefault();
    const value = (name) => typedTime(e.target.elements[name].value, utc);
    set(value('since'), value('until'));
  };
  const shown = (name) => {
    const value = query.get(name) ?? '';
    return durationMillis(value) === undefined && !Number.isNaN(Date.parse(value)) ? full(value, utc).replace(/ [^ ]*$/, '').replace(/\.000$/, '') : value;
  };
  return html`<div class="range ${bad ? 'wrong' : ''}" ref=${root}>
    <button type="button" id="range" aria-haspopup="dialog" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class="clock" aria-hidden="true"></span>${label(query, (t) => full(t, utc).replace(/\.\d+ .*$/, ''))}</button>
    <button type="button" class="icon" title="Zoom out" aria-label="Zoom out: twice the time" onClick=${wider}>−</button>
    ${open && html`<div class="popover" role="dialog" aria-label="Time range">
      <div class="presets">
        ${presets.map(([value, text]) => html`<button type="button" aria-pressed=${query.get('since') === value && !query.has('until')} onClick=${() => set(value)}>${text}</button>`)}
        <button type="button" onClick=${() => set('')}>All time</button>
      </div>
      <form onSubmit=${absolute}>
        <label>From <input name="since" value=${shown('since')} placeholder="2026-01-31 12:00, or 90m" spellcheck="false" /></label>
        <label>To <input name="until" value=${shown('until')} placeholder="now" spellcheck="false" /></label>
        <p class="hint">Times are ${utc ? 'UTC' : 'local'}, or RFC 3339 with a zone.</p>
        <button type="submit" class="primary">Apply</button>
      </form>
    </div>`}
  </div>`;
}
