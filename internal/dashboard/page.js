'use strict';
// A live tail of events. What comes from events is only ever set as text.

const api = '/api/v1';
const most = 500;      // events shown; older ones go
const firstPage = 100; // events shown at the start
const statsEvery = 2000;
const retryAfter = 2000;

const $ = id => document.getElementById(id);
const el = (name, className, text) => {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

// --- calling the API

class Problem extends Error {}

async function call(path, signal) {
  for (;;) {
    const token = sessionStorage.getItem('token');
    const response = await fetch(api + path, { signal, headers: token ? { Authorization: 'Bearer ' + token } : {} });
    if (response.ok) return response;
    if (response.status === 401) {
      await login(token);
      continue;
    }
    const body = await response.text();
    let detail = `${response.status} ${response.statusText}`;
    try { detail = JSON.parse(body).detail || detail; } catch { /* no problem document */ }
    throw new Problem(detail);
  }
}

let asking; // the answer to the dialog, which all calls wait for
function login(used) {
  if (asking) return asking;
  if (used !== sessionStorage.getItem('token')) return Promise.resolve(); // there is a newer one
  const dialog = $('login');
  asking = new Promise(done => {
    dialog.addEventListener('close', () => {
      sessionStorage.setItem('token', $('token').value);
      asking = undefined;
      done();
    }, { once: true });
  });
  dialog.showModal();
  return asking;
}

// --- the list

const list = $('list');
let queue = [];   // what was received and is not shown yet, the oldest first
let paused = false;
let due = false;

function receive(item) {
  queue.push(item);
  if (queue.length > most) queue.splice(0, queue.length - most);
  if (paused) {
    $('pause').textContent = `Resume (${queue.length === most ? most + '+' : queue.length} waiting)`;
  } else if (!due) {
    due = true;
    // Browsers do not draw what nobody sees; a timer would.
    requestAnimationFrame(show);
  }
}

function show() {
  due = false;
  const rows = document.createDocumentFragment();
  for (const item of queue.reverse()) rows.append(item.gap ? gapRow(item.gap) : eventRow(item));
  queue = [];
  list.prepend(rows);
  while (list.childElementCount > most) list.lastElementChild.remove();
}

const twoDigits = (n, digits = 2) => String(n).padStart(digits, '0');
function clock(date) {
  return `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}.${twoDigits(date.getMilliseconds(), 3)}`;
}

function eventRow(event) {
  const severity = event.metadata?.severity_number || 0;
  const row = el('details');
  const summary = el('summary', severity >= 17 ? 'bad' : severity >= 13 ? 'warn' : '');
  const time = el('time', '', clock(new Date(event.timestamp)));
  time.dateTime = event.timestamp;
  time.title = event.timestamp;
  summary.append(time, el('span', 'type', event.event_type), el('span', 'source', event.source),
    el('span', 'data', JSON.stringify(event.data)));
  row.append(summary);
  row.addEventListener('toggle', () => {
    if (row.open && !row.querySelector('pre')) row.append(el('pre', '', JSON.stringify(event, null, 2)));
  });
  return row;
}

function gapRow(gap) {
  const row = el('div', 'gap');
  const many = gap.events === undefined ? 'events' : `${gap.events} events`;
  row.append(el('time', '', clock(new Date())), el('span', '', `${many} went away before they were read (${gap.reason})`));
  return row;
}

// --- the stream

let stop = new AbortController();

function query() {
  const q = new URLSearchParams();
  for (const name of ['event_type', 'source']) {
    const value = $(name).value.replaceAll(' ', '').replace(/,+$/, '');
    if (value) q.set(name, value);
  }
  return q;
}

function connection(state, text) {
  $('connection').className = state;
  $('connection').textContent = text;
}

function trouble(text) {
  $('trouble').hidden = !text;
  $('trouble').textContent = text || '';
}

// follow shows the newest events and then what comes, until the filter changes.
async function follow() {
  stop.abort();
  stop = new AbortController();
  const signal = stop.signal;
  const filter = query();
  history.replaceState(null, '', filter.size ? '#' + filter : location.pathname);
  list.replaceChildren();
  queue = [];
  let place = { from: 'start' };
  for (let first = true; !signal.aborted;) {
    try {
      if (first) {
        const page = await (await call(`/events?order=desc&limit=${firstPage}&${filter}`, signal)).json();
        first = false;
        page.events.reverse().forEach(receive);
        if (page.events.length) place = { after: page.events.at(-1).cursor };
      }
      const response = await call(`/events/stream?format=ndjson&${new URLSearchParams(place)}&${filter}`, signal);
      connection('live', 'live');
      trouble('');
      for await (const line of lines(response.body)) {
        if (!line) continue; // a heartbeat
        const item = JSON.parse(line);
        if (item.cursor) place = { after: item.cursor };
        receive(item);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) trouble(error.message);
    }
    if (signal.aborted) return;
    connection('lost', 'connecting again');
    await pause(retryAfter);
  }
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    yield* parts;
  }
}

// --- the numbers

const rates = [];
const number = new Intl.NumberFormat('en');

function size(bytes) {
  let unit = 0;
  for (; bytes >= 1024 && unit < 5; unit++) bytes /= 1024;
  return (unit && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit];
}

function age(timestamp) {
  let seconds = Math.max(0, (Date.now() - new Date(timestamp)) / 1000);
  for (const [length, unit] of [[60, 's'], [60, 'm'], [24, 'h'], [Infinity, 'd']]) {
    if (seconds < length) return Math.floor(seconds) + ' ' + unit;
    seconds /= length;
  }
}

const sum = object => Object.values(object || {}).reduce((a, b) => a + b, 0);

function showStats(stats) {
  const store = stats.store;
  $('instance').textContent = `${stats.source_id} · ${store.storage}`;
  $('rate').textContent = number.format(stats.rates.stored_per_second);
  $('events').textContent = number.format(store.events);
  $('bytes').textContent = size(store.bytes);
  $('oldest').textContent = store.oldest ? age(store.oldest.timestamp) : '–';
  $('viewers').textContent = number.format(stats.viewers);

  rates.push(stats.rates.stored_per_second);
  if (rates.length > 60) rates.shift();
  const highest = Math.max(1, ...rates);
  $('trace').firstElementChild.setAttribute('points',
    rates.map((r, i) => `${120 - (rates.length - 1 - i) * 2},${27 - 26 * r / highest}`).join(' '));

  const of = name => stats.buffers.reduce((all, b) => all + (name === 'dropped' ? sum(b.dropped) : b[name]), 0);
  const fates = [
    ['received', of('received'), ''], ['filtered', of('filtered'), ''], ['sampled out', of('sampled_out'), ''],
    ['dropped', of('dropped'), 'warn'], ['failed in buffers', of('failed'), 'warn'],
    ['stored', store.stored, ''], ['recovered', store.recovered, ''], ['duplicate', store.duplicate, ''], ['evicted', store.evicted, ''],
    ['refused', sum(store.refused), 'warn'], ['failed', store.failed, 'warn'], ['unknown', store.unknown, 'warn'], ['lost', store.lost, 'bad'],
  ];
  $('fates').replaceChildren(...fates.map(([name, n, kind]) => {
    const fate = el('span', n ? kind : '');
    fate.append(name + ' ', el('b', '', number.format(n)));
    return fate;
  }));
}

// --- the problems

function showProblems(problems) {
  const count = suspicious => problems.filter(p => p.suspicious === suspicious).reduce((all, p) => all + p.count, 0);
  $('problems').hidden = !problems.length;
  $('refused').textContent = number.format(count(false));
  $('suspicious').textContent = number.format(count(true));
  if (!$('problems').open) return;
  $('reasons').replaceChildren(...problems.map(p => {
    const reason = el('div', 'reason');
    const head = el('h3', '', `${p.reason} `);
    head.append(el('span', '', `${number.format(p.count)}${p.suspicious ? ' taken all the same' : ' refused'} by ${p.component}, last ${age(p.last)} ago`));
    reason.append(head, ...p.examples.slice(0, 3).map(example => {
      const line = el('p');
      const known = [example.event_type, example.source && `from ${example.source}`, example.pointer, example.detail].filter(Boolean);
      line.append(`${clock(new Date(example.time))} ${known.join(' · ')} `);
      if (example.value) line.append(el('code', '', example.value));
      return line;
    }));
    return reason;
  }));
}

async function watchStats() {
  for (;;) {
    try {
      showStats(await (await call('/stats')).json());
      showProblems((await (await call('/problems')).json()).problems);
    } catch { /* the stream says when the server cannot be reached */ }
    await pause(statsEvery);
  }
}

// --- controls

function togglePause() {
  paused = !paused;
  $('pause').setAttribute('aria-pressed', paused);
  $('pause').textContent = paused ? 'Resume' : 'Pause';
  if (!paused) show();
}

$('pause').addEventListener('click', togglePause);
$('clear').addEventListener('click', () => list.replaceChildren());
$('filter').addEventListener('submit', event => {
  event.preventDefault();
  follow();
});
document.addEventListener('keydown', event => {
  if (event.target.closest('input, button, summary, dialog') || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ' ') togglePause();
  else if (event.key === '/') $('event_type').focus();
  else return;
  event.preventDefault();
});

for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  if (name === 'event_type' || name === 'source') $(name).value = value;
}
follow();
watchStats();
