/**
 * Appends to the log of events, and delivers to two triggers, until it is killed. Tells each acknowledged event on
 * standard output, synchronously, so that what was told is never lost. With the prefix `-` it appends nothing, and ends
 * when all is delivered.
 */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/client/clock.ts";
import { createSender } from "../../src/events/delivery/http-sender.ts";
import { createEventEngine } from "../../src/events/event-engine.ts";
import type { EventStore } from "../../src/events/log/event-store.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

const [place = "", sink = "", prefix = "-"] = process.argv.slice(2);
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => void writeSync(2, `${message} ${JSON.stringify(fields)}\n`),
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
for (const name of ["a", "b"])
  await engine.setConsumer({
    key: `trigger/default/${name}`,
    uid: name,
    stream,
    subscriber: { url: `${sink}${name}` },
    start: { from: "earliest" },
    delivery: { retry: 1000, backoffPolicy: "linear", backoffDelayMs: 5 },
  });

async function write(lane: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    const id = `${prefix}-${lane}-${n}`;
    const data = Buffer.from(id.repeat(1 + ((n * 7) % 90)));
    const attributes = { specversion: "1.0", id, source: "/crash", type: "t" };
    const result = await engine.append(stream, [{ attributes, data, structured: false }]);
    if (result.kind === "stored") writeSync(1, `${id}\n`);
  }
}

if (prefix === "-") {
  const check = setInterval(() => {
    if (engine.consumers().some(({ lag }) => lag > 0)) return;
    clearInterval(check);
    void (async () => {
      await engine.close(1000);
      const { last } = engine.stream(stream)?.bounds() ?? { last: 0 };
      for (let after = 0; after < last;) {
        const records = await engine.read(stream, { after, limit: 500 });
        for (const { event } of records) writeSync(1, `${String(event.attributes["id"])}\n`);
        after = records.at(-1)?.seq ?? last;
      }
      await sender.close();
      await store.close();
    })();
  }, 20);
} else await Promise.all([0, 1, 2, 3].map(write));
