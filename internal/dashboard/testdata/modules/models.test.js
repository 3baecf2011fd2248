import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reachable } from '../../assets/addresses.js';
import { definitionOf, withLimits } from '../../assets/definition.js';
import { EventList, liveRows } from '../../assets/eventlist.js';
import { equations, holds } from '../../assets/flow.js';
import { lanes, offset } from '../../assets/lanes.js';
import { limitsOf } from '../../assets/limits.js';
import { Colours, mostSeries, seriesOf, stacked } from '../../assets/series.js';
import { schemaOf } from '../../assets/schema.js';
import { trends } from '../../assets/trends.js';

const event = (n) => ({ cursor: `c${n}`, event_id: `i${n}`, timestamp: '2026-01-02T03:04:05Z', event_type: 'a', source: 's', data: { n }, metadata: {} });
const events = (from, to) => Array.from({ length: to - from }, (_, i) => event(from + i));

test('new events go on top, older ones to the end', () => {
  const list = new EventList();
  list.addPage({ events: [event(5), event(4)], next: 'c4', more: true });
  list.receive(events(6, 8));
  assert.ok(list.flush());
  list.addPage({ events: [event(3)], next: 'c3', more: false });
  assert.deepEqual(list.rows.map((r) => r.cursor), ['c7', 'c6', 'c5', 'c4', 'c3']);
  assert.equal(list.more, false);
});

test('what comes while someone reads waits and is counted', () => {
  const list = new EventList();
  list.addPage({ events: [event(1)], next: 'c1', more: false });
  list.following = false;
  list.receive([...events(2, 5), { where_errors: {} }]);
  assert.equal(list.flush(), false);
  assert.equal(list.waiting, 3);
  list.following = true;
  assert.ok(list.flush());
  assert.equal(list.rows.length, 4);
  assert.equal(list.waiting, 0);
});

test('a burst is bounded, and what it drops can be loaded', () => {
  const list = new EventList();
  list.addPage({ events: [event(1)], next: 'c1', more: false });
  list.following = false;
  for (let from = 2; from < 100_002; from += 1000) list.receive(events(from, from + 1000));
  assert.equal(list.waiting, 100_000);
  list.following = true;
  list.flush();
  assert.equal(list.rows.length, liveRows);
  assert.equal(list.rows[0].cursor, 'c100001');
  assert.equal(list.older, list.rows.at(-1).cursor); // the next page has no hole before it
  assert.equal(list.more, true);
});

test('a gap is a line', () => {
  const list = new EventList();
  list.receive([event(1), { gap: { reason: 'retention', blocks: 1 } }, event(2)]);
  list.flush();
  assert.deepEqual(list.rows.map((r) => r.gap?.reason ?? r.cursor), ['c2', 'retention', 'c1']);
});

test('counts become series, the smallest together', () => {
  const range = { since: 0, until: 120_000 };
  const buckets = [];
  for (let i = 0; i < mostSeries + 2; i++) buckets.push({ start: '1970-01-01T00:01:00Z', event_type: `t${i}`, count: 100 - i });
  const { times, series, total } = seriesOf({ by: 'event_type', buckets }, range, 60);
  assert.deepEqual(times, [0, 60]);
  assert.equal(series.length, mostSeries + 1);
  assert.equal(series.at(-1).rest, 2);
  assert.equal(stacked(series).at(-1)[1], total);
  assert.equal(series.reduce((sum, s) => sum + s.total, 0), total);
});

test('an event type called other is not the rest', () => {
  const { series } = seriesOf({ by: 'event_type', buckets: [{ start: '1970-01-01T00:00:00Z', event_type: 'other', count: 1 }] }, { since: 0, until: 60_000 }, 60);
  assert.equal(series.length, 1);
  assert.equal(series[0].rest, undefined);
});

test('a name keeps its colour while it is shown', () => {
  const colours = new Colours();
  assert.deepEqual([...colours.assign(['a', 'b'])], [['a', 0], ['b', 1]]);
  assert.deepEqual([...colours.assign(['b', 'c'])].sort(), [['b', 1], ['c', 0]]);
});

test('a trace is in order of time, with offsets', () => {
  const rows = [{ timestamp: '2026-01-02T03:04:05.000000250Z', source: 'b' }, { timestamp: '2026-01-02T03:04:05Z', source: 'a' }];
  const trace = lanes(rows);
  assert.deepEqual(trace.rows.map((r) => [r.source, r.offset, r.at]), [['a', '+0 ns', 0], ['b', '+250 ns', 1]]);
  assert.equal(lanes([]).rows.length, 0);
  assert.equal(offset(1_250_000n), '+1.25 ms');
});

test('growth is the second half against the first', () => {
  const bucket = (minute, count) => ({ start: new Date(minute * 60_000).toISOString(), event_type: 'a', count });
  const [type] = trends({ buckets: [bucket(0, 2), bucket(3, 6)] }, { since: 0, until: 240_000 }, 60);
  assert.deepEqual([type.count, type.rate, type.growth, type.factor], [8, 2, 4, 3]);
});

test('every event is accounted for', () => {
  const stats = {
    buffers: [{ id: 'event_buffer', instances: 1, enabled: true, capacity: 10, received: 10, forwarded: 4, filtered: 1, sampled_out: 1, dropped: { overflow: 2 }, failed: 1, buffered: 1 }],
    store: { storage: 'disk', commits: 1, appended: 10, stored: 4, duplicate: 1, refused: { too_large: 2 }, failed: 2, unknown: 1, recovered: 3, elsewhere: 1, events: 6, evicted: 1, lost: 1 },
  };
  assert.deepEqual(equations(stats).map(holds), [true, true, true]);
  stats.store.lost = 2;
  assert.deepEqual(equations(stats).map(holds), [true, true, false]);
});

test('a schema has the fields as they were seen', () => {
  const field = (path, kinds, share = 1) => ({ path, kinds, share, values: [], distinct: 0 });
  const schema = schemaOf({ event_type: 'user.login', sampled: 4, count: 9, fields: [
    field('user.id', { int: 4 }), field('user.name', { string: 2, null: 2 }), field('n', { int: 1, double: 3 }), field('raw', { bytes: 1 }, 0.25), field('__proto__', { bool: 4 }),
  ] });
  const data = schema.properties.data;
  assert.equal(schema.properties.event_type.const, 'user.login');
  assert.deepEqual(data.required, ['user', 'n', '__proto__']);
  assert.deepEqual(data.properties.user, { type: 'object', properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } }, required: ['id', 'name'] });
  assert.deepEqual(data.properties.n, { type: 'number' });
  assert.deepEqual(data.properties.raw, { type: 'string', contentEncoding: 'base64' });
  assert.deepEqual(Object.getOwnPropertyDescriptor(data.properties, '__proto__').value, { type: 'boolean' });
});

test('severities have their order', () => {
  const bucket = (severity, count) => ({ start: '1970-01-01T00:00:00Z', ...(severity && { severity }), count });
  const { series } = seriesOf({ by: 'severity', buckets: [bucket('INFO', 9), bucket('ERROR', 1), bucket('', 5), bucket('WARN', 2)] }, { since: 0, until: 60_000 }, 60);
  assert.deepEqual(series.map((s) => [s.name, s.total]), [['ERROR', 1], ['WARN', 2], ['INFO', 9], ['', 5]]);
});

test('how long there is room', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  const stats = (store) => ({
    uptime_seconds: 100,
    store: { bytes: 1000, events: 10, stored: 10, evicted: 0, oldest: { timestamp: '2026-01-01T23:00:00Z' }, retention: {}, ...store },
  });
  assert.deepEqual(limitsOf(stats({}), now), []);
  const [size, events, age] = limitsOf(stats({ retention: { max_bytes: 2000, max_events: 11, max_age_seconds: 7200 } }), now);
  assert.deepEqual([size.until, size.share], [100, 0.5]); // 0.1 events a second of 100 bytes each
  assert.equal(events.until, 10);
  assert.deepEqual([age.used, age.until], [3600, 3600]);
  assert.equal(limitsOf(stats({ stored: 0, retention: { max_bytes: 2000 } }), now)[0].until, undefined);
  assert.equal(limitsOf(stats({ evicted: 3, retention: { max_bytes: 2000 } }), now)[0].until, 0);
  assert.equal(limitsOf({ ...stats({ retention: { max_bytes: 2000 } }), uptime_seconds: 5 }, now)[0].until, undefined);
});

test('a consumer is what was typed', () => {
  assert.deepEqual(definitionOf({ name: 'billing', event_type: 'user.*, alert.*,', source: '', max_deliver: '0', max_in_flight: 'x', ack_wait: '30s' }),
    { event_type: ['user.*', 'alert.*'], max_deliver: 0, max_in_flight: 'x', ack_wait: '30s' });
  assert.deepEqual(withLimits({ from: 'start', where: 'true', ack_wait: '30s', expires_after: '7d' }, { ack_wait: '1m', where: 'false' }),
    { from: 'start', where: 'true', ack_wait: '1m' });
});

test('addresses of listeners can be reached', () => {
  assert.equal(reachable('http://127.0.0.1:4319/v1/events', 'telemetry.example'), 'http://localhost:4319/v1/events');
  assert.equal(reachable('http://[::1]:4319/v1/events', 'telemetry.example'), 'http://localhost:4319/v1/events');
  assert.equal(reachable('http://0.0.0.0:4319/v1/events', 'telemetry.example'), 'http://telemetry.example:4319/v1/events');
  assert.equal(reachable('http://[::]:4319/v1/events', 'telemetry.example'), 'http://telemetry.example:4319/v1/events');
  assert.equal(reachable('https://10.0.0.7:4319/v1/events', 'telemetry.example'), 'https://10.0.0.7:4319/v1/events');
});
