// Sends CloudEvents with their SDK for JavaScript in all three modes, and reads them back: as CloudEvents, which must be the ones that
// were sent, and as JSON.
//
//   npm ci
//   node cloudevents.mjs http://localhost:4319/v1/events http://localhost:4380
//
// It ends with 0 and the line "unchanged <count>" when all of them came back, else with 1.
import assert from 'node:assert/strict';
import { CloudEvent, HTTP } from 'cloudevents';

const [receiver, api] = process.argv.slice(2);
if (!receiver || !api) {
  console.error('usage: node cloudevents.mjs <receiver> <API>');
  process.exit(2);
}

const [newest] = (await (await fetch(`${api}/api/v1/events?order=desc&limit=1`)).json()).events;

// make returns events of every kind of data. Extensions are text, as headers know nothing else.
const make = mode => [
  { data: { user: { name: 'Ada', roles: ['admin', 'author'] }, n: 1, ratio: 0.5, none: null }, datacontenttype: 'application/json' },
  { data: 'Grüße, 世界', datacontenttype: 'text/plain; charset=utf-8' },
  { data: new Uint8Array([0, 1, 127, 128, 255]), datacontenttype: 'application/octet-stream' },
  { data: '<much wow="xml"/>', datacontenttype: 'application/xml' },
  {
    data: { a: 1 }, datacontenttype: 'application/json', subject: 'cart/7', dataschema: 'https://example.com/schemas/cart',
    time: '2026-01-02T03:04:05.678Z', partitionkey: 'k', tracestate: 'vendor=1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
].map((event, i) => new CloudEvent({ id: `${mode}-${i}`, source: 'https://shop.example/cart', type: 'com.example.cart.changed', time: new Date().toISOString(), ...event }));

async function post(message) {
  const response = await fetch(receiver, { method: 'POST', headers: message.headers, body: message.body });
  const answer = await response.json();
  assert.equal(response.status, 202, JSON.stringify(answer));
  return answer.ids;
}

const sent = { binary: make('binary'), structured: make('structured'), batch: make('batch') };
for (const event of sent.binary) assert.deepEqual(await post(HTTP.binary(event)), [event.id]);
for (const event of sent.structured) assert.deepEqual(await post(HTTP.structured(event)), [event.id]);
// The SDK has no writer of batches: a batch is a list of structured events.
const batch = '[' + sent.batch.map(event => HTTP.structured(event).body).join(',') + ']';
assert.deepEqual(
  await post({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: batch }),
  sent.batch.map(event => event.id));

// plain is an event as the SDK holds it; its data are the same however it holds them.
function plain(event) {
  const all = { ...event.toJSON() };
  if (event.data_base64) {
    delete all.data;
    all.data_base64 = event.data_base64;
  }
  return all;
}

const from = newest ? `after=${newest.cursor}` : 'from=start';
const events = Object.values(sent).flat();
const back = await fetch(`${api}/api/v1/events?${from}&limit=1000`, { headers: { accept: 'application/cloudevents-batch+json' } });
assert.equal(back.headers.get('content-type'), 'application/cloudevents-batch+json');
const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: await back.text() });
assert.equal(read.length, events.length);
for (const [i, event] of read.entries()) {
  event.validate();
  const { sequence, ...rest } = plain(event);
  assert.ok(sequence, 'the cursor');
  assert.deepEqual(rest, plain(events[i]));
}

const page = await (await fetch(`${api}/api/v1/events?${from}&limit=1000`)).json();
for (const [i, event] of page.events.entries()) {
  const want = events[i];
  assert.equal(event.event_id, want.id);
  assert.equal(event.event_type, want.type);
  assert.equal(event.source, want.source);
  assert.equal(Date.parse(event.timestamp), Date.parse(want.time));
  if (want.datacontenttype === 'application/json') assert.deepEqual(event.data, want.data);
  else assert.equal(event.data.body, want.data_base64 ?? want.data);
  assert.equal(event.metadata.cloudevents.source, want.source);
  assert.equal(event.metadata.cloudevents.subject, want.subject);
  assert.equal(event.metadata.trace_id, want.traceparent?.slice(3, 35));
}
console.log(`unchanged ${events.length}`);
