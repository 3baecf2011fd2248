import assert from 'node:assert/strict';
import { test } from 'node:test';

import { curl, eventctl } from '../../assets/copyas.js';
import { chips, elements, excluding, filterOf, including, ofSeverity, typed, withFilter, withoutFilter } from '../../assets/filter.js';
import { boundMillis, bounds, durationMillis, interval, label, typedTime, zoomOut } from '../../assets/range.js';
import { formatRoute, parseRoute } from '../../assets/route.js';

test('an address is a call of the API', () => {
  const route = parseRoute('#/events?since=15m&event_type=user.*,alert.*&data.note=a%20b%26c%3Dd');
  assert.equal(route.view, 'events');
  assert.equal(route.query.get('data.note'), 'a b&c=d');
  assert.equal(formatRoute(route), '#/events?since=15m&event_type=user.*,alert.*&data.note=a+b%26c%3Dd');
  assert.deepEqual([...parseRoute(formatRoute(route)).query], [...route.query]);
});

test('no address is the last hour, and an empty query is all time', () => {
  assert.equal(formatRoute(parseRoute('')), '#/events?since=1h');
  assert.equal(formatRoute(parseRoute('#/events?')), '#/events?');
  assert.equal(parseRoute('#event_type=user.*').query.get('event_type'), 'user.*'); // a link of an earlier version
  assert.equal(parseRoute('#/nothing?a=b').view, 'events');
});

test('a value that is chosen is meant literally', () => {
  assert.deepEqual(including('event_type', 'user.login'), ['event_type', 'user.login']);
  assert.deepEqual(including('event_type', 'a*b,c\\d'), ['event_type', 'a\\*b\\,c\\\\d']);
  assert.deepEqual(including('source', '/orders/eu/'), ['source', '\\/orders/eu\\/']);
  assert.deepEqual(including('category', 'user'), ['event_type', 'user.*']);
  assert.deepEqual(including('event_id', 'a,*'), ['event_id', 'a\\,*']);
  assert.deepEqual(elements('user.*,a\\,b'), ['user.*', 'a\\,b']);
});

test('what is typed becomes a filter', () => {
  const cases = {
    'order_id=4711': ['data.order_id', '4711'],
    'user.id = a b': ['data.user.id', 'a b'],
    'note="say \\"hi\\" "': ['data.note', 'say "hi" '],
    'data.x=1': ['data.x', '1'],
    'source=shop': ['source', 'shop'],
    'user.*': ['event_type', 'user.*'],
    '4BF92F3577B34DA6A3CE929D0E0E4736': ['trace_id', '4bf92f3577b34da6a3ce929d0e0e4736'],
    'attributes["n"] == 7': ['where', 'attributes["n"] == 7'],
    'attributes["n"] >= 7': ['where', 'attributes["n"] >= 7'],
    'severity_number != 9': ['where', 'severity_number != 9'],
    'card declin*': ['text', 'card declin*'],
    '"declined"': ['text', 'declined'],
    'text=card declined': ['text', 'card declined'],
    'Source() == "a" and true': ['where', 'Source() == "a" and true'],
  };
  for (const [text, filter] of Object.entries(cases)) assert.deepEqual(typed(text), filter, text);
  assert.equal(typed('  '), undefined);
});

test('conditions are joined', () => {
  let q = withFilter(new URLSearchParams('where=a == 1 or b == 2'), 'where', 'c != 3');
  assert.equal(q.get('where'), '(a == 1 or b == 2) and c != 3');
  q = withFilter(new URLSearchParams(`where=${encodeURIComponent('event_name != "a"')}`), 'where', excluding('event_type', 'b'));
  assert.equal(q.get('where'), 'event_name != "a" and event_name != "b"');
});

test('filters come and go', () => {
  const q = withFilter(new URLSearchParams('since=1h&event_type=a&view=x'), 'data.k', 'v');
  assert.deepEqual(chips(q), [{ name: 'event_type', value: 'a' }, { name: 'data.k', value: 'v' }]);
  assert.equal(filterOf(q).toString(), 'since=1h&event_type=a&data.k=v');
  assert.equal(withoutFilter(q, 'data.k', 'v').has('data.k'), false);
  assert.equal(withFilter(q, 'data.k', 'v').getAll('data.k').length, 1);
});

test('exclusions are quoted', () => {
  assert.equal(excluding('data', 'a"b\\\n', ['x', 'y"']), 'attributes["x"]["y\\""] != "a\\"b\\\\\\n"');
  assert.equal(excluding('data', null, ['x']), 'attributes["x"] != nil');
  assert.equal(excluding('severity', 'warn'), 'not (severity_number >= 13 and severity_number < 17)');
  assert.equal(ofSeverity('ERROR'), 'severity_number >= 17 and severity_number < 21');
  assert.equal(ofSeverity(''), 'severity_number == 0');
  assert.equal(excluding('source', 'shop'), 'Source() != "shop"');
  assert.equal(excluding('category', 'user'), 'event_name != "user" and not HasPrefix(event_name, "user.")');
  assert.deepEqual(including('severity', 'error'), ['min_severity', 'error']);
  assert.deepEqual(including('source', 'shop'), ['source', 'shop']);
});

test('ranges are those of the API', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  assert.equal(durationMillis('1h30m'), 5.4e6);
  assert.equal(durationMillis('5'), undefined);
  assert.equal(boundMillis('1d', now), now - 8.64e7);
  assert.equal(boundMillis('yesterday', now), undefined);
  for (const text of ['1767323045', '1767323045.0', '1767323045000', '1767323045000000', '1767323045000000000']) {
    assert.equal(boundMillis(text, now), Date.parse('2026-01-02T03:04:05Z'), text);
  }
  assert.equal(boundMillis('3600', now), undefined);
  assert.deepEqual(bounds(new URLSearchParams('since=1h'), now), { since: now - 3.6e6, until: now });
  assert.equal(bounds(new URLSearchParams('since=1h&until=2h'), now), undefined);
  assert.equal(bounds(new URLSearchParams('since=x'), now), undefined);
  assert.equal(label(new URLSearchParams('since=15m')), 'Last 15 minutes');
  assert.equal(label(new URLSearchParams('since=95m')), 'Last 1 h 35 m');
  assert.equal(label(new URLSearchParams('until=2026-01-01T00:00:00Z'), (t) => t.slice(0, 10)), 'start – 2026-01-01');
  assert.deepEqual(zoomOut({ since: now - 1000, until: now }, now), { since: now - 2000, until: now });
  assert.deepEqual(zoomOut({ since: now - 9000, until: now - 8000 }, now), { since: now - 9500, until: now - 7500 });
});

test('times may be typed in the zone that is shown', () => {
  assert.equal(typedTime(' 2026-01-31 12:00 ', true), '2026-01-31T12:00:00.000Z');
  assert.equal(typedTime('2026-01-31', true), '2026-01-31T00:00:00.000Z');
  assert.equal(typedTime('2026-01-31 12:00', false), new Date(2026, 0, 31, 12).toISOString());
  for (const text of ['90m', '2026-01-31T12:00:00+01:00', 'AeP03fhJcIPSAQJx57ke', '2026-99-99', '']) assert.equal(typedTime(text, true), text);
  assert.equal(typedTime('now', true), '');
  assert.equal(typedTime('now', true, 'now'), 'now');
});

test('intervals fit the range', () => {
  assert.deepEqual(interval({ since: 0, until: 3.6e6 }, 90), { seconds: 60, text: '1m' });
  assert.deepEqual(interval({ since: 0, until: 1 }, 90), { seconds: 1, text: '1s' });
  for (const days of [1, 7, 60, 3650]) {
    const range = { since: 0, until: days * 8.64e7 };
    assert.ok(range.until / 1000 / interval(range, 90).seconds <= 90);
  }
});

test('commands can be pasted', () => {
  assert.equal(curl("http://localhost:4380/api/v1/events?data.a=it's"), `curl 'http://localhost:4380/api/v1/events?data.a=it'\\''s'`);
  const filter = new URLSearchParams([['since', '1h'], ['event_type', 'user.*'], ['data.note', 'a b'], ['where', 'x == "y"']]);
  assert.equal(eventctl(['get'], filter, 'http://localhost:4380'), `eventctl get --since 1h --event-type 'user.*' --data 'note=a b' --where 'x == "y"'`);
  assert.match(eventctl(['get'], filter, 'https://host/events'), /--endpoint https:\/\/host\/events/);
});
