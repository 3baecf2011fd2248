// The view of consumers: how far each is, and its dead letters.

import { call, get } from './api.js';
import { ConsumerForm, Seek } from './consumerform.js';
import { poll } from './live.js';
import { stringify } from './json.js';
import { formatRoute } from './route.js';
import { preview } from './row.js';
import { count, plural, visible, visibleLine } from './text.js';
import { ago, duration } from './time.js';
import { Empty, Sure, Time, Trouble, html, useState, useTask } from './ui.js';

const refreshEvery = 2000;
const letterPage = 50;

export function ConsumersView({ query, open }) {
  const [state, setState] = useState({});
  const name = query.get('name') ?? '';
  const [making, setMaking] = useState(false);
  const ask = async (signal) => {
    try {
      const { consumers } = await get('/consumers', '', { signal });
      setState({ consumers });
    } catch (error) {
      if (!signal.aborted) setState((old) => ({ ...old, error }));
    }
  };
  useTask((signal) => poll(refreshEvery, signal, () => ask(signal)), []);
  const { consumers, error } = state;
  if (!consumers) return html`<div class="page"><${Trouble} error=${error} />${!error && html`<p class="end" role="status">Loading…</p>`}</div>`;
  const chosen = consumers.find((c) => c.name === name);
  const made = (created) => {
    setMaking(false);
    if (!created) return;
    ask(new AbortController().signal);
    open(created);
  };
  return html`<div class="page"><${Trouble} error=${error} />
    ${making ? html`<${ConsumerForm} done=${made} />` : consumers.length > 0 && html`<p><button type="button" id="make" onClick=${() => setMaking(true)}>New consumer</button></p>`}
    ${!consumers.length && !making && html`<${Empty} title="No consumers">
      <p>A consumer is a named reader whose progress is kept here: for work that must be done once for each event.</p>
      <button type="button" id="make" class="primary" onClick=${() => setMaking(true)}>New consumer</button>
      <p>or</p><pre>eventctl consumers create billing --event-type 'user.*'</pre></${Empty}>`}
    ${consumers.length > 0 && html`<div class="scroll-x"><table id="consumers"><thead><tr><th scope="col">consumer</th><th scope="col">state</th>
      ${['lag', 'behind', 'in flight', 'waiting', 'delivered', 'redelivered', 'gone', 'dead'].map((t) => html`<th scope="col" class="n">${t}</th>`)}<th scope="col">used</th></tr></thead>
      <tbody>${consumers.map((c) => html`<tr key=${c.name} class=${c.name === name ? 'chosen' : ''}>
        <th scope="row"><button type="button" class="link" aria-expanded=${c.name === name} onClick=${() => open(c.name === name ? '' : c.name)}>${c.name}</button></th>
        <td><${State} consumer=${c} /></td><td class=${`n ${c.lag.events ? 'warn' : ''}`}>${count(c.lag.events)}</td><td class="n">${c.lag.events ? duration(c.lag.seconds) : '–'}</td>
        <td class="n">${count(c.in_flight)}</td><td class="n">${count(c.waiting)}</td><td class="n">${count(c.delivered)}</td><td class="n">${count(c.redelivered)}</td>
        <td class=${`n ${c.gone ? 'bad' : ''}`}>${count(c.gone)}</td><td class=${`n ${c.dead ? 'bad' : ''}`}>${count(c.dead)}</td><td>${ago(c.used)}</td></tr>`)}</tbody></table></div>`}
    ${chosen && html`<${One} key=${name} consumer=${chosen} changed=${() => ask(new AbortController().signal)} leave=${() => open('')} />`}
    ${name && !chosen && !making && html`<p class="quiet">There is no consumer ${visibleLine(name)}.</p>`}
  </div>`;
}

/** Why a consumer is where it is, in words. */
function State({ consumer }) {
  const dead = consumer.dead > 0 && html`<span class="bad">${plural(consumer.dead, 'dead letter')}</span>`;
  const reason = reasonOf(consumer);
  return html`${dead}${dead && ', '}<span class=${reason ? 'warn' : 'holds'}>${reason ? `behind: ${reason}` : 'up to date'}</span>`;
}

function reasonOf(c) {
  if (!c.lag.events) return '';
  if (c.in_flight >= (c.definition.max_in_flight ?? Infinity)) return 'all it may have is in flight';
  if (c.in_flight) return 'workers are on it';
  if (c.waiting >= c.lag.events) return 'failed events wait for their next delivery';
  if (!c.delivered) return 'nothing was fetched yet';
  return `no worker fetches, last ${ago(c.used)}`;
}

const written = (value) => (typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : stringify(value));

function One({ consumer, changed, leave }) {
  const [letters, setLetters] = useState({});
  const [skip, setSkip] = useState(0);
  const [changing, setChanging] = useState(false);
  const path = `/consumers/${encodeURIComponent(consumer.name)}`;
  useTask(async (signal) => {
    if (!consumer.dead) {
      setLetters({ list: [], total: 0 });
      return;
    }
    try {
      const answer = await get(`${path}/dead-letters`, `limit=${letterPage}&skip=${skip}`, { signal });
      setLetters({ list: answer.dead_letters, total: answer.total });
      if (skip && skip >= answer.total) setSkip(0);
    } catch (error) {
      if (!signal.aborted) setLetters((old) => ({ ...old, error }));
    }
  }, [consumer.name, consumer.dead, skip]);
  const [failed, setFailed] = useState(null);
  const act = async (method, part, body) => {
    setFailed(null);
    try {
      await call(path + part, '', { method, body });
      if (method === 'DELETE') leave();
      changed();
    } catch (problem) {
      setFailed(problem);
    }
  };
  const letter = (what, body) => act('POST', `/dead-letters/${what}`, body);
  const filters = Object.entries(consumer.definition);
  const { list = [], total = 0, error } = letters;
  return html`<section class="consumer" id="consumer">
    <div class="actions bar"><h2>${consumer.name}</h2><span class="push"></span><${Seek} act=${(from) => act('POST', '/seek', { from })} />
      <button type="button" class="small" onClick=${() => setChanging(!changing)} aria-expanded=${changing}>Change limits</button>
      <${Sure} text="Delete" question="Delete with its progress and dead letters: sure?" act=${() => act('DELETE', '')} /></div>
    ${changing && html`<${ConsumerForm} existing=${consumer} done=${() => { setChanging(false); changed(); }} />`}
    <${Trouble} error=${failed} />
    <dl class="pairs">${filters.map(([k, v]) => html`<dt>${k}</dt><dd>${visibleLine(written(v))}</dd>`)}
      <dt>acknowledged</dt><dd>${count(consumer.acknowledged)}</dd><dt>created</dt><dd><${Time} value=${consumer.created} digits=${0} date=${true} /></dd></dl>
    <h3>Dead letters</h3>
    <p class="quiet">Events that were handed out ${plural(consumer.definition.max_deliver, 'time')} and are not done.</p>
    <${Trouble} error=${error} />
    ${total === 0 && !error && html`<p class="quiet">None.</p>`}
    ${total > 0 && html`<p class="actions bar"><${Sure} text="Return all" act=${() => letter('return', { all: true })} /><${Sure} text="Drop all" act=${() => letter('drop', { all: true })} />
      <span class="push"></span>${skip > 0 && html`<button type="button" class="small" onClick=${() => setSkip(skip - letterPage)}>Back</button>`}
      <span class="quiet">${skip + 1}–${Math.min(total, skip + letterPage)} of ${count(total)}</span>
      ${skip + letterPage < total && html`<button type="button" class="small" onClick=${() => setSkip(skip + letterPage)}>Next</button>`}</p>
      <ul class="letters">${list.map((one) => html`<li key=${one.cursor}>
        <span class="quiet"><${Time} value=${one.since} digits=${0} date=${true} /> · ${plural(one.deliveries, 'delivery').replace(/ys$/, 'ies')}${one.reason && html` · <span class="warn">${visibleLine(one.reason)}</span>`}</span>
        ${one.event ? html`<b>${visibleLine(one.event.event_type)}</b> <span>${visibleLine(one.event.source)}</span> <span class="data" title=${visible(one.event.event_id)}>${preview(one.event.data)}</span>
          <a href=${formatRoute({ view: 'events', query: new URLSearchParams({ event_id: one.event.event_id }) })}>open</a>` : html`<span>not kept any more</span>`}
        <span class="push"></span>
        <${Sure} text="Return" act=${() => letter('return', { cursors: [one.cursor] })} /><${Sure} text="Drop" act=${() => letter('drop', { cursors: [one.cursor] })} /></li>`)}</ul>`}
  </section>`;
}
