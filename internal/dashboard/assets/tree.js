// Data of an event as a tree, with filters beside its values.

import { ExactNumber, kind, stringify } from './json.js';
import { visible, visibleLine } from './text.js';
import { Copy, html, useState } from './ui.js';

const shownAtFirst = 200; // members of a map or list
const longText = 2000; // characters of a text that are shown at first

/** include and exclude get a path of keys and a value; without them there are no buttons. */
export function Tree({ value, path = [], include, exclude }) {
  const entries = Array.isArray(value) ? value.map((v, i) => [i, v]) : Object.entries(value);
  const [all, setAll] = useState(entries.length <= shownAtFirst);
  if (!entries.length) return html`<p class="quiet">nothing</p>`;
  const shown = all ? entries : entries.slice(0, shownAtFirst);
  return html`<dl class="tree">
    ${shown.map(([key, v]) => html`<${Member} key=${key} name=${String(key)} value=${v} path=${[...path, key]} include=${include} exclude=${exclude} />`)}
    ${!all && html`<button type="button" class="small" onClick=${() => setAll(true)}>${entries.length - shownAtFirst} more</button>`}
  </dl>`;
}

function Member({ name, value, path, include, exclude }) {
  const inner = value !== null && typeof value === 'object' && !(value instanceof ExactNumber);
  const [open, setOpen] = useState(path.length < 4);
  if (inner && Object.keys(value).length) {
    return html`<dt><button type="button" class="fold" aria-expanded=${open} onClick=${() => setOpen(!open)}>${visibleLine(name)}</button>
        <span class="quiet">${kind(value)} of ${Object.keys(value).length}</span></dt>
      <dd class="inner">${open && html`<${Tree} value=${value} path=${path} include=${include} exclude=${exclude} />`}</dd>`;
  }
  // Filters do not reach into lists, and a long text makes no filter.
  const filterable = include && path.every((key) => typeof key === 'string') && !inner && (typeof value !== 'string' || value.length <= 500);
  return html`<dt>${visibleLine(name)}</dt>
    <dd class=${`value ${kind(value)}`}><${Scalar} value=${value} />
      <span class="actions">
        ${filterable && html`<button type="button" class="small" title="Filter for this value" aria-label=${`Filter for this ${visibleLine(name)}`} onClick=${() => include(path, value)}>=</button>
        <button type="button" class="small" title="Filter this value out" aria-label=${`Filter this ${visibleLine(name)} out`} onClick=${() => exclude(path, value)}>≠</button>`}
        <${Copy} text=${typeof value === 'string' ? value : stringify(value)} title="Copy the value" />
      </span></dd>`;
}

function Scalar({ value }) {
  const [all, setAll] = useState(false);
  if (typeof value !== 'string') return html`<code>${stringify(value)}</code>`;
  if (value === '') return html`<code class="quiet">""</code>`;
  const text = all || value.length <= longText ? value : value.slice(0, longText);
  return html`<code class=${value.includes('\n') ? 'block' : ''}>${visible(text)}</code>
    ${text !== value && html`<button type="button" class="small" onClick=${() => setAll(true)}>${value.length - longText} more characters</button>`}`;
}
