/**
 * Takes events over HTTP and delivers them to three triggers, until it is killed: `a`, `b`, and `ordered`. Tells its
 * port on standard output. With `drain` it takes none, tells each event of the log, and ends when all is delivered.
 */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/client/clock.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import { createEventEngine } from "../../src/events/event-engine.ts";
import { createIngress } from "../../src/events/ingress/ingress.ts";
import type { EventStore } from "../../src/events/log/event-store.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

const [place = "", sink = "", mode = "serve"] = process.argv.slice(2);
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => {
    // Senders hear of it.
    if (message !== "events could not be stored") writeSync(2, `${message} ${String(fields?.["err"])}\n`);
  },
  with: () => log,
  enabled: () => false,
};

async function openStore(): Promise<EventStore> {
  if (!place.startsWith("nats:"))
    return (await import("../../src/events/log/sqlite-store.ts")).openSqliteStore({ path: place }, systemClock);
  const { openJetStreamStore } = await import("../../src/events/log/jetstream-store.ts");
  return openJetStreamStore({ servers: place }, { clock: systemClock, log });
}

const store = await openStore();
const sender = createSender({ clock: systemClock, dial: () => undefined });
const engine = createEventEngine({}, { store, sender, clock: systemClock, log, urlOf: () => "" });
const stream = "broker/default/crash";
await engine.setStream({ kind: "broker", namespace: "default", name: "crash", uid: "1" });
for (const name of ["a", "b", "ordered"])
  await engine.setConsumer({
    key: `trigger/default/${name}`,
    uid: name,
    stream,
    subscriber: { url: `${sink}${name}` },
    start: { from: "earliest" },
    ordered: name === "ordered",
    delivery: { retry: 1000, backoffPolicy: "linear", backoffDelayMs: 5, timeoutMs: 5000 },
  });

async function drain(): Promise<void> {
  const check = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (engine.consumers().every(({ lag }) => lag === 0)) check.resolve();
  }, 20);
  await check.promise;
  clearInterval(timer);
  await engine.close(1000);
  const { last } = engine.stream(stream)?.bounds() ?? { last: 0 };
  for (let after = 0; after < last;) {
    const records = await engine.read(stream, { after, limit: 500 });
    for (const { event } of records) writeSync(1, `${String(event.attributes["id"])}\n`);
    after = records.at(-1)?.seq ?? last;
  }
  await sender.close();
  await store.close();
}

if (mode === "drain") await drain();
else {
  const ingress = createIngress({}, { log, append: (key, events) => engine.append(key, events), exists: () => true });
  const { port } = await ingress.listen({ host: "127.0.0.1", port: 0 });
  writeSync(1, `${port}\n`);
}
