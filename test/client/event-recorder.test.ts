import { afterEach, beforeEach, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { EventKind, SecretKind } from "../../src/api/core/kinds.ts";
import type { Event, Secret } from "../../src/api/core/types.gen.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createEventRecorder, type EventRecorder } from "../../src/client/event-recorder.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

const complaints: string[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void complaints.push(message),
  error: (message) => void complaints.push(message),
  with: () => log,
  enabled: () => true,
};
let clock: ManualClock;
let server: ApiServer;
let recorder: EventRecorder;
let object: Secret;
beforeEach(async () => {
  complaints.length = 0;
  clock = new ManualClock();
  server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions }, { log, now: () => clock.now() });
  recorder = createEventRecorder({ client: server.api, clock, log }, "tester");
  object = await server.api.create(SecretKind, { metadata: { name: "a", namespace: "default" } });
});
afterEach(async () => {
  await server.close();
});

const record = (message: string, reason = "Happened"): void =>
  recorder.record({ kind: SecretKind, object, type: "Normal", reason, message });
const events = async (): Promise<readonly Event[]> => {
  await recorder.flush();
  return (await server.api.list(EventKind, { namespace: "default" })).items;
};

test("an event names its object, who saw it and when", async () => {
  record("something");
  const [event] = await events();
  expect(event).toMatchObject({
    type: "Normal",
    reason: "Happened",
    message: "something",
    count: 1,
    source: { component: "tester" },
    reportingComponent: "tester",
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    involvedObject: { apiVersion: "v1", kind: "Secret", namespace: "default", name: "a", uid: object.metadata.uid },
  });
  expect(event?.metadata.name).toMatch(/^a\.[0-9a-f]+$/);
});

test("the same event again raises the count of the first and moves its end", async () => {
  record("something");
  await clock.advance(5000);
  record("something");
  record("something");
  const found = await events();
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    count: 3,
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:05Z",
  });
});

test("an event that was deleted meanwhile is written anew", async () => {
  record("something");
  const [first] = await events();
  await server.api.delete(EventKind, { namespace: "default", name: first?.metadata.name ?? "" });
  record("something");
  const [again] = await events();
  expect(again).toMatchObject({ count: 1, message: "something" });
});

test("from the eleventh message on, events that differ only in it become one", async () => {
  for (let i = 1; i <= 14; i++) record(`pod ${i}`);
  const found = await events();
  expect(found).toHaveLength(11);
  expect(found.find(({ message }) => message?.startsWith("(combined"))).toMatchObject({
    count: 4,
    message: "(combined from similar events): pod 14",
  });
});

test("one object gets 25 events at once, and one more each five minutes", async () => {
  for (let i = 0; i < 40; i++) record("something", `Reason${i}`);
  expect(await events()).toHaveLength(25);
  await clock.advance(300_000);
  for (let i = 50; i < 60; i++) record("something", `Reason${i}`);
  expect(await events()).toHaveLength(26);
});

test("two recorders may tell of one object in the same millisecond", async () => {
  const other = createEventRecorder({ client: server.api, clock, log }, "other");
  record("something");
  other.record({ kind: SecretKind, object, type: "Warning", reason: "Also", message: "else" });
  await other.flush();
  expect(await events()).toHaveLength(2);
  expect(complaints).toEqual([]);
});

test("an event that cannot be written is logged and nothing else", async () => {
  const lost: Secret = { ...object, metadata: { ...object.metadata, namespace: "nowhere" } };
  recorder.record({ kind: SecretKind, object: lost, type: "Normal", reason: "Happened", message: "x" });
  await recorder.flush();
  expect(complaints).toEqual(["event was not written"]);
});
