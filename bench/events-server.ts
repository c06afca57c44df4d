/** The event engine alone, for bench/events.ts: ingress on a free port, told on standard output; ends with its input. */
import { keepHeapSmall } from "../src/cli/keep-heap-small.ts";
import { systemClock } from "../src/client/clock.ts";
import { createSender } from "../src/events/delivery/http-sender.ts";
import { createEventEngine } from "../src/events/event-engine.ts";
import { streamUrl } from "../src/events/ingress/address.ts";
import { createIngress } from "../src/events/ingress/ingress.ts";
import type { EventStore } from "../src/events/log/event-store.ts";
import { openSqliteStore } from "../src/events/log/sqlite-store.ts";
import type { Logger } from "../src/telemetry/logger.ts";

// As `ebb up` does.
keepHeapSmall();
const [place = "", triggers = "[]"] = process.argv.slice(2);
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => console.error(message, fields),
  with: () => log,
  enabled: () => false,
};

async function openStore(): Promise<EventStore> {
  if (!place.startsWith("nats:")) return openSqliteStore({ path: place }, systemClock);
  const { openJetStreamStore } = await import("../src/events/log/jetstream-store.ts");
  return openJetStreamStore({ servers: place }, { clock: systemClock, log });
}

const store = await openStore();
const sender = createSender({ clock: systemClock, dial: () => undefined });
const engine = createEventEngine({}, { store, sender, clock: systemClock, log, urlOf: streamUrl });
const ingress = createIngress({}, { log, append: (key, events) => engine.append(key, events), exists: () => true });
const stream = "broker/default/bench";
await engine.setStream({ kind: "broker", namespace: "default", name: "bench", uid: "1" });
const wanted = JSON.parse(triggers) as readonly {
  readonly name: string;
  readonly url: string;
  readonly type: string;
}[];
for (const { name, url, type } of wanted)
  await engine.setConsumer({
    key: `trigger/default/${name}`,
    uid: name,
    stream,
    subscriber: { url },
    filter: { attributes: type === "" ? {} : { type } },
    delivery: { retry: 1000, backoffPolicy: "exponential", backoffDelayMs: 200 },
  });
const { port } = await ingress.listen({ host: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ port }));

process.on("message", (message: { readonly id: number; readonly ask: string }) => {
  const answer = (value: unknown): void => void process.send?.({ id: message.id, value });
  if (message.ask === "stats") {
    const { rss } = process.memoryUsage();
    const consumers = engine.consumers();
    const behind = consumers.reduce((most, { lag }) => Math.max(most, lag), 0);
    answer({ cpu: process.cpuUsage(), rss, behind, last: engine.stream(stream)?.bounds().last ?? 0 });
  } else if (message.ask === "replay")
    void engine.replay(`trigger/default/${wanted[0]?.name ?? ""}`, { from: "earliest" }).then(answer);
  else if (message.ask === "collect") {
    (globalThis as { gc?: () => void }).gc?.();
    answer(true);
  }
});
process.on("disconnect", () => process.exit(0));
