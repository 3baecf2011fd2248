// The view of alerts: each rule, whether it holds, and for what.

import { get } from './api.js';
import { poll } from './live.js';
import { formatRoute } from './route.js';
import { count, plural, visibleLine } from './text.js';
import { ago, duration } from './time.js';
import { Empty, Time, Trouble, html, usePrefs, useState, useTask } from './ui.js';

const refreshEvery = 5000;
const stateClass = { firing: 'bad', pending: 'warn', inactive: 'holds' };
const healthNames = { unknown: 'not known yet', err: 'fails' };
const order = ['firing', 'pending', 'inactive'];

export function AlertsView({ query, open }) {
  usePrefs();
  const [{ groups, error }, setState] = useState({});
  useTask((signal) => poll(refreshEvery, signal, async () => {
    try {
      setState({ groups: (await get('/prometheus/api/v1/rules', '', { signal })).data.groups });
    } catch (e) {
      if (!signal.aborted) setState((old) => ({ ...old, error: e }));
    }
  }), []);
  if (!groups) return html`<div class="page"><${Trouble} error=${error} />${!error && html`<p class="end" role="status">Loading…</p>`}</div>`;
  const rules = groups.flatMap((group) => group.rules.map((rule, i) => ({ ...rule, group, key: `${group.file}/${group.name}/${i}` })));
  rules.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  const name = query.get('name') ?? '';
  return html`<div class="page"><${Trouble} error=${error} />
    ${!rules.length && html`<${Empty} title="No alert rules">
      <p>Rules in Prometheus's format tell you when something happens too often, or does not happen at all.</p>
      <pre>exporters:
  event_store:
    alerts:
      rule_files: [alerts/*.yaml]</pre></${Empty}>`}
    ${rules.length > 0 && html`<div class="scroll-x"><table id="alerts"><thead><tr><th scope="col">alert</th><th scope="col">state</th><th scope="col">group</th>
      <th scope="col" class="n">alerts</th><th scope="col">evaluated</th></tr></thead>
      <tbody>${rules.map((rule) => html`<tr key=${rule.key} class=${rule.key === name ? 'chosen' : ''}>
        <th scope="row"><button type="button" class="link" aria-expanded=${rule.key === name} onClick=${() => open(rule.key === name ? '' : rule.key)}>${visibleLine(rule.name)}</button></th>
        <td><span class=${stateClass[rule.state]}>${rule.state}</span>${rule.health !== 'ok' && html` <span class="warn">${healthNames[rule.health] ?? rule.health}</span>`}</td>
        <td>${visibleLine(rule.group.name)}</td><td class="n">${count(rule.alerts.length)}</td><td>${evaluated(rule)}</td></tr>`)}</tbody></table></div>`}
    ${rules.filter((rule) => rule.key === name).map((rule) => html`<${One} key=${rule.key} rule=${rule} />`)}
  </div>`;
}

const evaluated = (rule) => (rule.lastEvaluation.startsWith('0001') ? 'not yet' : ago(rule.lastEvaluation));

function One({ rule }) {
  return html`<section class="consumer" id="alert"><h2>${visibleLine(rule.name)}</h2>
    ${rule.lastError && html`<p class="trouble" role="alert">${visibleLine(rule.lastError)}</p>`}
    <pre class="expression">${rule.query}</pre>
    <dl class="pairs">${rule.duration > 0 && html`<dt>for</dt><dd>${duration(rule.duration)}</dd>`}
      ${rule.keepFiringFor > 0 && html`<dt>keeps firing for</dt><dd>${duration(rule.keepFiringFor)}</dd>`}
      <dt>every</dt><dd>${duration(rule.group.interval)}</dd><dt>file</dt><dd>${visibleLine(rule.group.file)}</dd></dl>
    <h3>${rule.alerts.length ? plural(rule.alerts.length, 'alert') : 'No alerts'}</h3>
    <ul class="letters">${rule.alerts.map((alert) => html`<li key=${JSON.stringify(alert.labels)}>
      <b class=${stateClass[alert.state]}>${alert.state}</b> <span class="quiet">since <${Time} value=${alert.activeAt} digits=${0} date=${true} /> · value ${alert.value}</span>
      <span>${visibleLine(alert.annotations.summary ?? alert.annotations.description ?? '')}</span>
      <span class="data">${visibleLine(labelsOf(alert))}</span><span class="push"></span><${Events} labels=${alert.labels} /></li>`)}</ul>
  </section>`;
}

const labelsOf = ({ labels }) => Object.entries(labels).filter(([k]) => k !== 'alertname').map(([k, v]) => `${k}=${v}`).join('  ');

/** A link to the events of an alert, where its labels name some. */
function Events({ labels }) {
  const query = new URLSearchParams({ since: '1h' });
  if (labels.event_type) query.set('event_type', labels.event_type);
  if (labels.source) query.set('source', labels.source);
  return (labels.event_type || labels.source) && html`<a href=${formatRoute({ view: 'events', query })}>events</a>`;
}
