// The view of the system: where every event went, storage, and problems.

import { get } from './api.js';
import { Configuration, Limits } from './limitsview.js';
import { equations, holds } from './flow.js';
import { poll } from './live.js';
import { bytes, count, shortCount, visible, visibleLine } from './text.js';
import { ago, duration, millis } from './time.js';
import { Time, Trouble, html, usePrefs, useState, useTask } from './ui.js';

const refreshEvery = 2000;

export function SystemView({ stats, statsError }) {
  usePrefs();
  const [state, setState] = useState({ problems: [] });
  useTask((signal) => poll(refreshEvery, signal, async () => {
    try {
      const { problems } = await get('/problems', '', { signal });
      setState({ problems });
    } catch (error) {
      if (!signal.aborted) setState((old) => ({ ...old, error }));
    }
  }), []);
  if (!stats) return html`<div class="page"><${Trouble} error=${statsError} /></div>`;
  const { store } = stats;
  const { status, detail } = store.health;
  const perEvent = store.events ? store.bytes / store.events : 0;
  const kept = store.oldest ? (Date.now() - millis(store.oldest.timestamp)) / 1000 : 0;
  return html`<div class="page" tabindex="0" role="region" aria-label="System">
    ${status !== 'ok' && html`<p class="trouble" id="unhealthy" role="alert">${detail}</p>`}
    <div class="tiles" aria-label="Numbers">
      <${Tile} id="health" name="store" value=${html`<span class=${status === 'ok' ? 'holds' : 'bad'}>${healthNames[status] ?? status}</span>`} note=${`${store.storage} · ${stats.version}`} />
      <${Tile} id="rate" name="stored per second" value=${shortCount(stats.rates.stored_per_second)} note=${`over ${stats.rates.window_seconds} s`} />
      <${Tile} id="events" name="events kept" value=${count(store.events)} note=${`${count(store.blocks)} blocks`} />
      <${Tile} id="bytes" name="size" value=${bytes(store.bytes)} note=${perEvent ? `${Math.round(perEvent)} B an event, compressed` : ''} />
      <${Tile} id="oldest" name="goes back" value=${store.oldest ? duration(Math.max(0, Math.floor(kept))) : '–'} note=${store.oldest ? html`to <${Time} value=${store.oldest.timestamp} digits=${0} date=${true} />` : ''} />
      <${Tile} id="uptime" name="up" value=${duration(Math.floor(stats.uptime_seconds))} note=${html`since <${Time} value=${stats.started} digits=${0} date=${true} />`} />
      <${Tile} id="viewers" name="live viewers" value=${count(stats.viewers)} note="open streams" />
    </div>
    <section id="flow"><h2>Where every event went</h2>
      ${equations(stats).map((e) => html`<${Equation} key=${e.id} equation=${e} />`)}
      ${!stats.buffers.length && html`<p class="quiet">There is no event_buffer processor in this collector.</p>`}
    </section>
    <section id="problems"><h2>Problems</h2>
      <${Trouble} error=${state.error} />
      ${!state.problems.length && html`<p class="quiet">Nothing was refused, and nothing looked wrong.</p>`}
      ${state.problems.map((p) => html`<${Report} key=${`${p.component} ${p.reason}`} report=${p} />`)}
    </section>
    <section id="retention"><h2>How long there is room</h2><${Limits} stats=${stats} /></section>
    <section id="configuration"><h2>Configuration</h2><${Configuration} stats=${stats} /></section>
    <section><h2>Event types</h2><${Numbers} stats=${stats} /></section>
  </div>`;
}

const healthNames = { ok: 'healthy', read_only: 'read-only', unreachable: 'unreachable' };

const Tile = ({ id, name, value, note }) => html`<div class="tile"><span class="label">${name}</span><output id=${id}>${value}</output><span class="note">${note}</span></div>`;

function Equation({ equation }) {
  const whole = equation.total.reduce((n, p) => n + p.count, 0);
  const shown = equation.parts.filter((p) => p.count || !/:/.test(p.name));
  return html`<div class="equation" id=${equation.id.replace(/\W+/g, '-')}>
    <h3>${visibleLine(equation.title)} <span>${visibleLine(equation.note)}</span></h3>
    <div class="meter" aria-hidden="true">${equation.parts.filter((p) => p.count).map((p) => html`<i key=${p.name} class=${p.kind} style=${{ flexGrow: p.count }}></i>`)}</div>
    <p class="sum">${equation.total.map((p, i) => html`${i > 0 && html`<span class="op">+</span>`}<${Part} part=${p} />`)}
      <span class="op">=</span>
      ${shown.map((p, i) => html`${i > 0 && html`<span class="op">+</span>`}<${Part} part=${p} whole=${whole} />`)}
      <span class=${holds(equation) ? 'holds' : 'bad'}>${holds(equation) ? '✓ adds up' : '✗ does not add up'}</span></p>
  </div>`;
}

function Part({ part, whole }) {
  const share = whole && part.count ? ` ${((100 * part.count) / whole).toFixed(part.count === whole ? 0 : 1)} %` : '';
  return html`<span class=${`part ${part.kind}`} title=${`${part.hint}${share}`.trim()}><b>${count(part.count)}</b> ${visibleLine(part.name)}</span>`;
}

function Report({ report }) {
  return html`<details class="report" open=${true}>
    <summary><b class=${report.suspicious ? 'warn' : 'bad'}>${visibleLine(report.reason)}</b>
      <span>${count(report.count)} ${report.suspicious ? 'taken, but suspicious' : 'refused'} by ${visibleLine(report.component)}, last ${ago(report.last)}</span></summary>
    <ul>${report.examples.slice(0, 5).map((example) => html`<li>
      <${Time} value=${example.time} digits=${0} /> ${example.source && html`<span>from <b>${visibleLine(example.source)}</b></span>`}
      ${example.event_type && html`<span>${visibleLine(example.event_type)}</span>`} ${example.pointer && html`<code>${visibleLine(example.pointer)}</code>`}
      <span>${visibleLine(example.detail ?? '')}</span> ${example.value && html`<code class="sent">${visible(example.value)}</code>`}</li>`)}</ul>
  </details>`;
}

function Numbers({ stats }) {
  const columns = [['received', 'received'], ['filtered', 'filtered'], ['sampled_out', 'sampled out'], ['dropped', 'dropped'], ['stored', 'stored'], ['estimated', 'estimated']];
  const rows = Object.entries(stats.event_types).sort(([, a], [, b]) => Math.max(b.received ?? 0, b.stored) - Math.max(a.received ?? 0, a.stored));
  if (!rows.length) return html`<p class="quiet">None since this process started.</p>`;
  return html`<div class="scroll-x"><table><thead><tr><th scope="col">event type</th>${columns.map(([, text]) => html`<th scope="col" class="n">${text}</th>`)}</tr></thead>
    <tbody>${rows.map(([name, n]) => html`<tr key=${name}><th scope="row">${visibleLine(name)}</th>${columns.map(([key]) => html`<td class="n">${n[key] ? count(Math.round(n[key])) : '·'}</td>`)}</tr>`)}</tbody></table></div>`;
}
