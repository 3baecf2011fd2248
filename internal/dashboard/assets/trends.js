// How the counts of event types go over a range.

/** Of each event type: its values over time, count, rate a minute, and the growth of the second half against the first. */
export function trends(answer, range, seconds) {
  const first = Math.floor(range.since / 1000 / seconds) * seconds;
  const length = Math.max(2, Math.ceil((range.until / 1000 - first) / seconds));
  const types = new Map();
  for (const bucket of answer.buckets) {
    const name = bucket.event_type ?? '';
    let type = types.get(name);
    if (!type) types.set(name, (type = { name, count: 0, values: new Array(length).fill(0) }));
    type.count += bucket.count;
    const at = Math.floor((Date.parse(bucket.start) / 1000 - first) / seconds);
    if (at >= 0 && at < length) type.values[at] += bucket.count;
  }
  const minutes = Math.max(1, range.until - range.since) / 60000;
  const half = Math.ceil(length / 2);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  for (const type of types.values()) {
    const [before, after] = [sum(type.values.slice(0, half)), sum(type.values.slice(half))];
    type.rate = type.count / minutes;
    type.growth = after - before;
    type.factor = before ? Number((after / before).toPrecision(2)) : 0;
  }
  return [...types.values()];
}
