// Events of a trace placed in time.

import { nanos } from './time.js';

/** Rows in order of their time, with their offset from the first, their place from 0 to 1, and the number of their source. */
export function lanes(rows) {
  const timed = rows.map((row) => ({ row, time: nanos(row.timestamp) })).sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const sources = [...new Set(timed.map(({ row }) => row.source))];
  const first = timed[0]?.time ?? 0n;
  const length = (timed.at(-1)?.time ?? 0n) - first;
  return {
    sources,
    length: offset(length).slice(1) || '0',
    rows: timed.map(({ row, time }) => ({
      ...row,
      offset: offset(time - first),
      at: length ? Number(time - first) / Number(length) : 0,
      lane: sources.indexOf(row.source),
    })),
  };
}

/** Nanoseconds as an offset such as "+1.25 ms". */
export function offset(n) {
  const value = Number(n);
  for (const [unit, name] of [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']]) {
    if (value >= unit) return `+${Number((value / unit).toPrecision(4))} ${name}`;
  }
  return `+${value} ns`;
}
