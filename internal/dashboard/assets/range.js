// Time ranges, as the API writes them: since and until are RFC 3339 times, numbers since 1970, or
// durations back from now.

import { duration, millis } from './time.js';

/** The ranges of the picker. */
export const presets = [
  ['5m', 'Last 5 minutes'],
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['3h', 'Last 3 hours'],
  ['12h', 'Last 12 hours'],
  ['24h', 'Last 24 hours'],
  ['2d', 'Last 2 days'],
  ['7d', 'Last 7 days'],
];

export const defaultSince = '1h';

const lengths = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };

/** Milliseconds of a duration such as "1h30m" or "7d"; undefined when it is none. */
export function durationMillis(text) {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) sum += Number(n) * lengths[unit];
  return sum;
}

/** Milliseconds of a number of seconds, milli-, micro- or nanoseconds, which its size tells apart. */
function unixMillis(n) {
  if (n < 1e8) return undefined; // likelier a duration without its unit
  if (n < 1e11) return n * 1e3;
  if (n < 1e14) return n;
  return n < 1e17 ? n / 1e3 : n / 1e6;
}

/** Milliseconds since 1970 of a bound; undefined when it is not one. */
export function boundMillis(text, now) {
  const back = durationMillis(text);
  if (back !== undefined) return now - back;
  if (/^\d+(\.\d+)?$/.test(text)) return unixMillis(Number(text));
  const t = millis(text);
  return Number.isNaN(t) ? undefined : t;
}

/** Start and end of a query's range in milliseconds. Without since it starts at oldest. */
export function bounds(query, now, oldest = now - lengths.h) {
  const until = query.has('until') ? boundMillis(query.get('until'), now) : now;
  const since = query.has('since') ? boundMillis(query.get('since'), now) : Math.min(oldest, until - 1000);
  return until === undefined || since === undefined || since >= until ? undefined : { since, until };
}

/**
 * What the API takes for a time that someone typed, in the zone that is shown; what is not understood is left for the API to
 * refuse. now is what stands for the present.
 */
export function typedTime(text, utc, now = '') {
  const trimmed = text.trim();
  if (trimmed === 'now') return now;
  if (!/^\d{4}-\d/.test(trimmed) || /(Z|[+-]\d\d:\d\d)$/i.test(trimmed)) return trimmed;
  const date = new Date(`${trimmed.replace(' ', 'T')}${/T|\s/.test(trimmed) ? '' : 'T00:00'}${utc ? 'Z' : ''}`);
  return Number.isNaN(date.getTime()) ? trimmed : date.toISOString();
}

/** What the picker says. */
export function label(query, show) {
  const since = query.get('since');
  const until = query.get('until');
  if (!since && !until) return 'All time';
  const preset = !until && presets.find(([value]) => value === since);
  if (preset) return preset[1];
  if (!until && durationMillis(since) !== undefined) return `Last ${duration(durationMillis(since) / 1000)}`;
  const word = (text) => (durationMillis(text) === undefined && !Number.isNaN(millis(text)) ? show(text) : `${text} ago`);
  return `${since ? word(since) : 'start'} – ${until ? word(until) : 'now'}`;
}

/** The range twice as long around the same middle, ending now at the latest. */
export function zoomOut(range, now) {
  const half = (range.until - range.since) / 2;
  const until = Math.min(now, range.until + half);
  return { since: until - 4 * half, until };
}

// Intervals of histograms, in seconds, and how the API writes them.
const steps = [
  [1, '1s'], [2, '2s'], [5, '5s'], [10, '10s'], [15, '15s'], [30, '30s'], [60, '1m'], [120, '2m'], [300, '5m'], [600, '10m'], [900, '15m'],
  [1800, '30m'], [3600, '1h'], [7200, '2h'], [14400, '4h'], [21600, '6h'], [43200, '12h'], [86400, '1d'], [172800, '2d'], [604800, '7d'],
];

/** The interval that cuts a range into at most most buckets. */
export function interval(range, most) {
  const want = (range.until - range.since) / 1000 / most;
  const [seconds, text] = steps.find(([length]) => length >= want) ?? [];
  if (seconds) return { seconds, text };
  const days = Math.ceil(want / 86400);
  return { seconds: days * 86400, text: `${days}d` };
}
