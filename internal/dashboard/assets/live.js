// Following a stream. It goes on from the last cursor after the server was away, and is cut
// while nobody looks at the page.

import { call, lineGroups, Problem } from './api.js';
import { parse } from './json.js';

const retryAfter = 1000;
const retryAtMost = 15000;

/**
 * Follows the events of a filter from a cursor until signal is aborted. receive gets what
 * came, in order, as parsed lines; state gets "live", "connecting" or "paused".
 * Throws a Problem where trying again is of no use: the request itself is wrong.
 */
export async function follow(filter, cursor, { signal, receive, state }) {
  let wait = retryAfter;
  while (!signal.aborted) {
    await whenVisible(signal, state);
    if (signal.aborted) return;
    const hidden = new AbortController();
    const hide = () => document.hidden && hidden.abort();
    document.addEventListener('visibilitychange', hide);
    try {
      const query = new URLSearchParams(filter);
      if (cursor) query.set('after', cursor);
      else query.set('from', 'start');
      query.set('format', 'ndjson');
      const response = await call('/events/stream', query, { signal: AbortSignal.any([signal, hidden.signal]) });
      state('live');
      wait = retryAfter;
      for await (const lines of lineGroups(response.body)) {
        for await (const items of parsed(lines)) {
          for (const item of items) if (item.cursor) cursor = item.cursor;
          if (items.length) receive(items);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status < 500 && error.status !== 429) throw error;
    } finally {
      document.removeEventListener('visibilitychange', hide);
    }
    if (signal.aborted) return;
    if (hidden.signal.aborted) continue;
    state('connecting');
    await pause(wait, signal);
    wait = Math.min(2 * wait, retryAtMost);
  }
}

const slice = 10; // milliseconds of parsing after which the page may draw and answer the mouse

/** Parses lines, and hands them out in groups that were parsed in a short time. An empty line is a heartbeat. */
async function* parsed(lines) {
  let items = [];
  let started = performance.now();
  for (const line of lines) {
    if (line) items.push(parse(line));
    if (performance.now() - started < slice) continue;
    yield items;
    items = [];
    await breathe();
    started = performance.now();
  }
  yield items;
}

/** Lets the page draw and answer the mouse. */
const breathe = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));

/** Waits until the page is seen. */
function whenVisible(signal, state) {
  if (!document.hidden) return undefined;
  state('paused');
  return new Promise((done) => {
    document.addEventListener('visibilitychange', done, { once: true });
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Waits; ends early when signal is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener('abort', finish, { once: true });
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      done();
    }
  });
}

/** Runs ask at once and again every period while the page is seen, until signal is aborted. */
export async function poll(period, signal, ask) {
  while (!signal.aborted) {
    await whenVisible(signal, () => {});
    if (signal.aborted) return;
    await ask();
    await pause(period, signal);
  }
}
