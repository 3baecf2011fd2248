// A consumer in plain fetch: every event is handled once by one of the workers that run this,
// again when handling fails or the worker dies, and ends in the dead letters after five times.
//   node consumer.mjs [URL of the API] [name of the consumer] [--until-idle]
const [api = "http://localhost:4380", name = "billing"] = process.argv.slice(2);
const consumer = `${api}/api/v1/consumers/${name}`;
const json = { "Content-Type": "application/json" };

async function call(method, path, body) {
  const answer = await fetch(consumer + path, { method, headers: json, body: body && JSON.stringify(body) });
  if (!answer.ok && answer.status !== 409) throw new Error(`${path}: ${await answer.text()}`);
  return answer.json();
}

async function handle(event) {
  if (event.data.broken) throw new Error("cannot be handled");
  console.log(event.event_type, event.event_id);
}

await call("PUT", "", { event_type: ["user.*"], ack_wait: "30s" });
for (;;) {
  const { lease, events } = await call("POST", "/fetch?limit=100&wait=" + (process.argv[4] ? "2s" : "30s"));
  if (!lease && process.argv[4]) break;
  if (!lease) continue;
  const done = await Promise.allSettled(events.map(handle));
  const failed = events.filter((_, i) => done[i].status === "rejected").map((event) => event.cursor);
  await call("POST", "/ack", { lease, failed }); // 409: too late, somebody else has them
}
