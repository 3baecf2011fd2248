// Counts over time made ready for drawing.

export const mostSeries = 8;
export const other = 'other';

/**
 * The buckets of GET /counts as series: times in seconds, and the largest names with a value
 * per time; the rest is together as other.
 */
export function seriesOf(answer, range, seconds) {
  const totals = new Map();
  const value = (bucket) => bucket[answer.by] ?? '';
  for (const bucket of answer.buckets) totals.set(value(bucket), (totals.get(value(bucket)) ?? 0) + bucket.count);
  const names = [...totals.keys()].sort(answer.by === 'severity' ? bySeverity : (a, b) => totals.get(b) - totals.get(a) || (a < b ? -1 : 1));
  const shown = names.length > mostSeries ? names.slice(0, mostSeries) : names;
  const first = Math.floor(range.since / 1000 / seconds) * seconds;
  const length = Math.max(1, Math.ceil((range.until / 1000 - first) / seconds));
  const times = Array.from({ length }, (_, i) => first + i * seconds);
  const series = shown.map((name) => ({ name, total: totals.get(name), values: new Array(length).fill(0) }));
  const rest = { name: other, total: 0, values: new Array(length).fill(0), rest: names.length - shown.length };
  const byName = new Map(series.map((s) => [s.name, s]));
  for (const bucket of answer.buckets) {
    const s = byName.get(value(bucket)) ?? rest;
    const at = Math.floor((Date.parse(bucket.start) / 1000 - first) / seconds);
    if (s === rest) rest.total += bucket.count;
    if (at >= 0 && at < length) s.values[at] += bucket.count;
  }
  if (rest.rest) series.push(rest);
  return { by: answer.by, times, series, total: names.reduce((sum, name) => sum + totals.get(name), 0) };
}

// The most severe ones are at the bottom, where they are easiest to compare.
const severityOrder = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', ''];
const bySeverity = (a, b) => severityOrder.indexOf(a) - severityOrder.indexOf(b);

/** Each series on top of those before it. */
export function stacked(series) {
  const sums = [];
  for (const s of series) {
    const below = sums.at(-1);
    sums.push(s.values.map((v, i) => v + (below ? below[i] : 0)));
  }
  return sums;
}

/** Colours of names by number, which a name keeps as long as it is shown. */
export class Colours {
  #taken = new Map();

  assign(names) {
    for (const name of this.#taken.keys()) if (!names.includes(name)) this.#taken.delete(name);
    for (const name of names) {
      if (this.#taken.has(name)) continue;
      const used = new Set(this.#taken.values());
      let free = 0;
      while (used.has(free)) free++;
      this.#taken.set(name, free);
    }
    return this.#taken;
  }
}
