import { expect, test } from "vitest";
import type { Pod } from "../api/core/types.gen.ts";
import type { Change } from "../client/informer.ts";
import type { InstanceEvent } from "../router/instance.ts";
import { hearWarmPods } from "./hear-warm-pods.ts";
import { warmTopics } from "./warm-topics.ts";

function open() {
  const topics = new Map<string, (body: unknown) => void>();
  const applied: InstanceEvent[] = [];
  const failures: unknown[] = [];
  const sent: unknown[] = [];
  const up = new Set<string>();
  let connect = (): void => undefined;
  let change: (change: Change<Pod>) => void = () => undefined;
  let due: (() => void) | undefined;
  const close = hearWarmPods({
    load: {
      onTopic: (topic, read) => void topics.set(topic, read),
      onConnect: (run) => void (connect = run),
      send: (topic, body) => sent.push([topic, body]) > 0,
    },
    router: {
      applyInstance: (event) => void applied.push(event),
      setStartFailure: (failure) => void failures.push(failure),
    },
    informers: { of: () => ({ onChange: (handler: typeof change) => ((change = handler), () => undefined) }) as never },
    probe: (host) => Promise.resolve(up.has(host)),
    clock: { after: (_ms, run) => ((due = run), () => (due = undefined)) },
  });
  return {
    applied,
    failures,
    sent,
    up,
    close,
    tell: (topic: string, body: unknown) => topics.get(topic)?.(body),
    connect: () => connect(),
    seePod: (uid: string) =>
      change({ type: "added", object: { metadata: { name: "p", uid }, spec: { containers: [] } } as Pod }),
    isArmed: () => due !== undefined,
    async look() {
      const run = due;
      due = undefined;
      run?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const ready = {
  type: "ready",
  revision: "ns/r",
  id: "u1",
  address: { host: "10.0.0.1", port: 8080 },
  protocol: "http1",
};

test("an instance is told to the router at once, and to each leader until its pod is seen", () => {
  const router = open();
  router.tell(warmTopics.instance, ready);
  expect(router.applied).toEqual([ready]);
  router.connect();
  expect(router.sent).toEqual([[warmTopics.known, ready]]);
  router.seePod("u1");
  router.connect();
  expect(router.sent).toHaveLength(1);
});

test("an instance nobody else knows is gone when it takes no connections twice in a row", async () => {
  const router = open();
  router.tell(warmTopics.instance, ready);
  router.up.add("10.0.0.1");
  await router.look();
  router.up.clear();
  await router.look();
  expect(router.applied).toHaveLength(1);
  await router.look();
  expect(router.applied.at(-1)).toEqual({ ...ready, type: "gone" });
  expect(router.isArmed()).toBe(false);
});

test("one whose pod is known, or that drains, is not looked at", async () => {
  const router = open();
  router.seePod("u1");
  router.tell(warmTopics.instance, ready);
  expect(router.isArmed()).toBe(false);
  router.tell(warmTopics.instance, { ...ready, id: "u2" });
  router.tell(warmTopics.instance, { ...ready, id: "u2", type: "draining" });
  await router.look();
  expect(router.isArmed()).toBe(false);
});

test("a function that does not load is told with its reason, and what cannot be understood is left out", () => {
  const router = open();
  router.tell(warmTopics.failure, { revision: "ns/r", reason: "broken" });
  router.tell(warmTopics.failure, { revision: "ns/r", reason: null });
  expect(router.failures).toEqual([
    { revision: "ns/r", reason: "broken" },
    { revision: "ns/r", reason: undefined },
  ]);
  for (const body of [
    undefined,
    "x",
    {},
    { ...ready, address: {} },
    { ...ready, type: "coming" },
    { ...ready, id: "" },
  ])
    router.tell(warmTopics.instance, body);
  expect(router.applied).toEqual([]);
});
