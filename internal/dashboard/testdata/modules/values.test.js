import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ExactNumber, parse, stringify } from '../../assets/json.js';
import { preview, rowOf, severityName } from '../../assets/row.js';
import { bytes, shortCount, start, visible, visibleLine } from '../../assets/text.js';
import { duration, fromNanos, full, nanos, parts } from '../../assets/time.js';

test('numbers keep how they were written', () => {
  const text = '{"a":9223372036854775807,"b":[-9007199254740993,1,2.5,1e400,1.10],"c":"9223372036854775807 \\" 1e999","d":{"e":null}}';
  const value = parse(text);
  assert.ok(value.a instanceof ExactNumber);
  assert.equal(String(value.a), '9223372036854775807');
  assert.equal(value.b[1], 1);
  assert.equal(value.c, '9223372036854775807 " 1e999');
  assert.equal(stringify(value), text);
  assert.deepEqual(parse(stringify(value, '', '  ')), value);
  assert.throws(() => parse('{"a":'), SyntaxError);
});

test('objects of senders are never taken for exact numbers', () => {
  for (const text of ['{"exact":0,"n":12345678901234567890}', '{"__proto__":12345678901234567890}']) assert.equal(stringify(parse(text)), text);
});

test('hidden characters are written out', () => {
  assert.equal(visibleLine('a\u202eb\u0000c\nd\u200be\ud800f😀'), 'a\\u{202e}b\\u{0}c\\nd\\u{200b}e\\u{d800}f😀');
  assert.equal(visible('a\r\nb\tc\rd\u2066'), 'a\nb\tc\\rd\\u{2066}');
});

test('the start of a text never cuts a character', () => {
  assert.equal(start('a😀b', 2), 'a…');
  assert.equal(start('abc', 3), 'abc');
});

test('counts and sizes are short', () => {
  assert.deepEqual([0, 999, 9999, 12345, 250000, 1234567, 0.25].map(shortCount), ['0', '999', '9,999', '12.3k', '250k', '1.2M', '0.3']);
  assert.deepEqual([0, 1023, 1536, 10 * 1024 ** 3].map(bytes), ['0 B', '1023 B', '1.5 KiB', '10 GiB']);
});

test('times keep their nanoseconds', () => {
  const t = '2026-01-02T03:04:05.000000019Z';
  assert.equal(nanos(t), 1767323045000000019n);
  assert.equal(fromNanos(nanos(t)), t);
  assert.equal(fromNanos(nanos('1969-12-31T23:59:59.5Z')), '1969-12-31T23:59:59.5Z');
  assert.equal(full(t, true), '2026-01-02 03:04:05.000000019 UTC');
  assert.deepEqual(parts('2026-01-02T03:04:05Z', true), { date: '2026-01-02', time: '03:04:05.000', zone: 'UTC' });
  assert.equal(parts('2026-01-02T03:04:05.0196Z', true).time, '03:04:05.019');
});

test('durations have at most two units', () => {
  assert.deepEqual([0, 0.25, 1.5, 93, 3600, 90061].map(duration), ['0 s', '250 ms', '1.5 s', '1 m 33 s', '1 h', '1 d 1 h']);
});

test('a row is bounded whatever the event holds', () => {
  const row = rowOf({
    cursor: 'c', event_id: 'i'.repeat(1e6), timestamp: '2026-01-02T03:04:05Z', event_type: 't'.repeat(1e6), source: 's',
    data: { a: 'x'.repeat(1e6), b: Array(1e5).fill(1), ['k'.repeat(1e6)]: 1 }, metadata: { severity_number: 17 },
  });
  assert.ok(JSON.stringify(row).length < 2000);
  assert.equal(row.severity, 17);
});

test('data in one line', () => {
  assert.equal(preview(parse('{"a":{"b":12345678901234567890},"s":"two words","l":[1,"x",{}],"e":""}')), 'a.b=12345678901234567890  s="two words"  l=[1,x,{…}]  e=""');
  assert.equal(preview(undefined), '');
});

test('severities have the names of OpenTelemetry', () => {
  assert.deepEqual([0, 1, 5, 9, 13, 17, 21, 24].map(severityName), ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'FATAL']);
});
