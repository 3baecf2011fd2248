// Calls of the API. Addresses are relative to the page, so that it works below any path.

import { parse } from './json.js';
import { askToken } from './token.js';

/** What the API refused: the problem document of its answer. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail);
    this.status = status;
    this.parameter = document.parameter ?? '';
    this.pointer = document.pointer ?? '';
  }
}

/** The address of a call. Calls of Prometheus's API begin with /prometheus/. */
export function address(path, query) {
  const text = query ? String(query) : '';
  const whole = path.startsWith('/prometheus/') ? path.slice(1) : `api/v1${path}`;
  return new URL(`${whole}${text ? `?${text}` : ''}`, document.baseURI).href;
}

/** Calls the API until it answers with anything but 401, and returns the response. Errors: Problem, what fetch throws. */
export async function call(path, query, { signal, method = 'GET', body } = {}) {
  for (;;) {
    const token = sessionStorage.getItem('token');
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers['Content-Type'] = 'application/json';
    const response = await fetch(address(path, query), { method, signal, headers, body: body && JSON.stringify(body) });
    if (response.ok) return response;
    if (response.status === 401) {
      await askToken(token);
      continue;
    }
    throw new Problem(response.status, await problemOf(response));
  }
}

async function problemOf(response) {
  const fallback = { detail: `The server answered ${response.status} ${response.statusText}.` };
  try {
    const document = parse(await response.text());
    if (document?.error) return { detail: document.error }; // of Prometheus's API
    return document?.detail ? document : fallback;
  } catch {
    return fallback;
  }
}

/** Calls the API and returns the JSON of its answer with exact numbers; sized, if given, gets its length. */
export async function get(path, query, { sized, ...options } = {}) {
  const text = await (await call(path, query, options)).text();
  sized?.(text.length);
  return parse(text);
}

// Queries that make the server work run one after the other.
let last = Promise.resolve();

/** As get, but after all earlier calls of getExpensive, and not at all once its signal is aborted. */
export function getExpensive(path, query, options = {}) {
  const mine = last.then(() => {
    options.signal?.throwIfAborted();
    return get(path, query, options);
  });
  last = mine.catch(() => {});
  return mine;
}

/** The lines of a response, in the groups in which they arrive. */
export async function* lineGroups(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield lines;
  }
}
