// Retention and configuration, as they are.

import { limitsOf } from './limits.js';
import { bytes, count, visibleLine } from './text.js';
import { duration } from './time.js';
import { html } from './ui.js';

const shown = { max_bytes: bytes, max_events: count, max_age: (seconds) => duration(seconds) || '0 s' };
const whenFull = { discard_old: 'the oldest events go', reject_new: 'new events are refused' };

/** How much of each limit is used, and how long until it is reached. */
export function Limits({ stats }) {
  const limits = limitsOf(stats, Date.now());
  const full = whenFull[stats.store.retention.when_full];
  if (!limits.length) return html`<p class="quiet">Nothing bounds what is kept, other than the disk.</p>`;
  return html`${limits.map(({ name, used, limit, share, until }) => html`<div class="equation" key=${name} id=${name}>
    <h3>${name} <span>when it is reached, ${name === 'max_age' ? whenFull.discard_old : full}</span></h3>
    <div class="meter" aria-hidden="true"><i class=${until === 0 && stats.store.retention.when_full === 'reject_new' ? 'bad' : 'good'} style=${{ flexGrow: share }}></i><i class="none" style=${{ flexGrow: 1 - share }}></i></div>
    <p class="sum"><b>${shown[name](used)}</b> of <b>${shown[name](limit)}</b> <span>${share > 0 && share < 0.001 ? '<0.1' : (100 * share).toFixed(share < 0.1 ? 1 : 0)} %</span>
      <span class="push"></span><span>${until === 0 ? `reached: ${name === 'max_age' ? whenFull.discard_old : full}` : until === undefined ? 'not enough events to say when' : `full in ${duration(until)} at the average rate`}</span></p>
  </div>`)}`;
}

/** What buffers and receivers were told. */
export function Configuration({ stats }) {
  return html`<div class="tiles wide">
    ${stats.buffers.map((b) => html`<${Pairs} key=${b.id} title=${b.id} pairs=${bufferPairs(b)} />`)}
    ${stats.receivers.map((r) => html`<${Pairs} key=${r.id} title=${`receiver ${r.id}`} pairs=${[['JSON, CloudEvents', r.events_url ?? 'off'], ['OTLP over HTTP', r.otlp_url ?? 'off']]} />`)}
    ${!stats.buffers.length && !stats.receivers.length && html`<p class="quiet">No event_buffer and no event receiver are in this collector.</p>`}</div>`;
}

function bufferPairs({ enabled, configuration: c }) {
  const list = (patterns, none) => (patterns?.length ? patterns.join(', ') : none);
  return [
    ['enabled', String(enabled)], ['event_types', list(c.event_types, 'all')], ['exclude_event_types', list(c.exclude_event_types, 'none')],
    ...(c.sampling_rates ?? []).map((r) => [`sampling ${r.event_type}${r.min_severity ? ` from ${r.min_severity}` : ''}`, percent(r.rate)]),
    [c.sampling_rates?.length ? 'sampling of all others' : 'sampling_rate', percent(c.sampling_rate)],
    ['buffer_size', count(c.buffer_size)], ['overflow', c.overflow + (c.max_wait ? `, after ${c.max_wait}` : '')], ['ack', c.ack],
  ];
}

const percent = (rate) => `${Number((100 * rate).toPrecision(4))} %`;

const Pairs = ({ title, pairs }) => html`<div class="tile"><h3>${visibleLine(title)}</h3>
  <dl class="pairs">${pairs.map(([name, value]) => html`<dt>${visibleLine(name)}</dt><dd>${visibleLine(value)}</dd>`)}</dl></div>`;
