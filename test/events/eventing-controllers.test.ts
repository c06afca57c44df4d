/** Brokers, Triggers, Channels and Subscriptions on the real API server in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServiceKind } from "../../src/api/core/kinds.ts";
import { BrokerKind, TriggerKind } from "../../src/api/eventing/kinds.ts";
import { ChannelKind, InMemoryChannelKind, SubscriptionKind } from "../../src/api/messaging/kinds.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane, type Judged } from "./eventing-plane.ts";

let plane: EventingPlane;
beforeEach(async () => {
  plane = await createEventingPlane();
});
afterEach(() => plane.close());

const get = <T extends KubeObject>(kind: Kind<T>, name: string): Promise<T> =>
  plane.client.get(kind, { namespace, name });
const condition = <T extends Judged>(kind: Kind<T>, name: string, type: string, wanted: string): Promise<T> =>
  until(
    () => get(kind, name),
    (object) => told(object, type) === wanted,
    `${type} ${wanted} of ${name}`,
  );

const broker = (name = "b", spec: object = {}) =>
  plane.client.create(BrokerKind, { metadata: { name, namespace }, spec } as never);
const trigger = (name: string, spec: object = {}, annotations: Record<string, string> = {}) =>
  plane.client.create(TriggerKind, {
    metadata: { name, namespace, annotations },
    spec: { broker: "b", subscriber: { uri: "http://sink.example" }, ...spec },
  } as never);
const service = (name: string) =>
  plane.client.create(ServiceKind, { metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } } as never);
const ref = (name: string) => ({ ref: { apiVersion: "v1", kind: "Service", name } });

describe("a Trigger that falls behind", () => {
  let clock: ManualClock;
  beforeEach(async () => {
    await plane.close();
    clock = new ManualClock(Date.parse("2026-05-01T12:00:00Z"));
    plane = await createEventingPlane(clock);
  });
  const annotations = async () => (await get(TriggerKind, "t")).status?.annotations ?? {};
  const looked = async (holds: (seen: Record<string, string>) => boolean, what: string) =>
    until(
      async () => {
        clock.advance(1000);
        return annotations();
      },
      holds,
      what,
    );

  test("says how many events wait, since when, and nothing any more once it keeps up", async () => {
    await broker();
    await trigger("t");
    await condition(TriggerKind, "t", "Ready", "True");
    plane.states.set("trigger/default/t", { lag: 12, oldestMs: 60_000 });
    const behind = await looked((seen) => "events.ebb.dev/lag" in seen, "lag of t");
    expect(behind["events.ebb.dev/lag"]).toBe("12");
    expect(behind["events.ebb.dev/oldest-event"]).toMatch(/^2026-05-01T11:59:\d\dZ$/);
    plane.states.set("trigger/default/t", { lag: 0 });
    await looked((seen) => !("events.ebb.dev/lag" in seen), "end of the lag of t");
    expect(await annotations()).toEqual({});
  });

  test("does not lose it when something else of its status changes", async () => {
    await broker();
    await trigger("t");
    await condition(TriggerKind, "t", "Ready", "True");
    plane.states.set("trigger/default/t", { lag: 3 });
    await looked((seen) => seen["events.ebb.dev/lag"] === "3", "lag of t");
    await plane.client.delete(BrokerKind, { namespace, name: "b" });
    await condition(TriggerKind, "t", "Ready", "False BrokerDoesNotExist");
    expect((await annotations())["events.ebb.dev/lag"]).toBe("3");
  });

  test("is warned of once before retention takes its events, and again the next time", async () => {
    await broker();
    await trigger("t");
    const warnings = () => plane.events.filter((text) => text.startsWith("EventsAtRisk"));
    const ticks = async (count: number) =>
      until(
        () => {
          clock.advance(5000);
          return warnings();
        },
        (seen) => seen.length === count,
        `${count} warnings`,
      );
    plane.states.set("trigger/default/t", { lag: 900, oldestMs: 60_000, atRisk: true, trouble: "it answered 500" });
    expect((await ticks(1))[0]).toContain("900 events wait");
    await looked((seen) => "events.ebb.dev/lag" in seen, "lag of t");
    plane.states.set("trigger/default/t", { lag: 0, atRisk: false });
    await looked((seen) => !("events.ebb.dev/lag" in seen), "end of the lag of t");
    expect(warnings()).toHaveLength(1);
    plane.states.set("trigger/default/t", { lag: 901, oldestMs: 60_000, atRisk: true });
    await ticks(2);
  });
});

describe("a Broker", () => {
  test("is a stream with an address, and says what an acknowledgement is worth", async () => {
    await broker();
    const made = await condition(BrokerKind, "b", "Ready", "True");
    expect(made.status).toMatchObject({
      observedGeneration: 1,
      address: { name: "http", url: "http://b.log/default" },
      annotations: { "events.ebb.dev/durability": "fsync", "events.ebb.dev/kept-as": "one copy" },
    });
    expect(told(made, "DeadLetterSinkResolved")).toBe("True DeadLetterSinkNotConfigured");
    expect(plane.streams.get("broker/default/b")?.uid).toBe(made.metadata.uid);
  });

  test("keeps as much as its annotations say", async () => {
    const annotations = { "events.ebb.dev/retention-age": "P2D", "events.ebb.dev/retention-bytes": "64Mi" };
    await plane.client.create(BrokerKind, { metadata: { name: "kept", namespace, annotations }, spec: {} } as never);
    await condition(BrokerKind, "kept", "Ready", "True");
    const retention = { maxAgeMs: 2 * 86_400_000, maxBytes: 64 * 1024 * 1024 };
    expect(plane.streams.get("broker/default/kept")?.retention).toEqual(retention);
  });

  test("says why the log does not take it, and comes up once it does", async () => {
    plane.played.fails = "the disk is full";
    await broker();
    const down = await condition(BrokerKind, "b", "Ready", "False LogUnavailable");
    expect(down.status?.conditions?.find(({ type }) => type === "Ready")?.message).toBe("the disk is full");
    plane.played.fails = "";
    await plane.client.patch(
      BrokerKind,
      { namespace, name: "b" },
      { type: "merge", body: { metadata: { labels: { a: "b" } } } },
    );
    await condition(BrokerKind, "b", "Ready", "True");
  });

  test("takes its stream with it when it is deleted", async () => {
    await broker();
    await condition(BrokerKind, "b", "Ready", "True");
    await plane.client.delete(BrokerKind, { namespace, name: "b" });
    await until(
      () =>
        get(BrokerKind, "b").then(
          () => "there",
          (error: unknown) => (isNotFound(error) ? "gone" : String(error)),
        ),
      (seen) => seen === "gone",
      "end of the Broker",
    );
    expect(plane.streams.size).toBe(0);
  });

  test("of a class that ebb does not serve is left alone", async () => {
    await plane.client.create(BrokerKind, {
      metadata: { name: "b", namespace, annotations: { "eventing.knative.dev/broker.class": "Other" } },
      spec: {},
    });
    await broker("mine");
    await condition(BrokerKind, "mine", "Ready", "True");
    expect([...plane.streams.keys()]).toEqual(["broker/default/mine"]);
  });
});

describe("a Trigger", () => {
  test("waits for its Broker, then is a consumer with the Broker's delivery", async () => {
    await trigger("t", { filter: { attributes: { type: "a" } } });
    await condition(TriggerKind, "t", "BrokerReady", "False BrokerDoesNotExist");
    expect(plane.consumers.size).toBe(0);
    await broker();
    const ready = await condition(TriggerKind, "t", "Ready", "True");
    expect(ready.status).toMatchObject({ subscriberUri: "http://sink.example" });
    expect(plane.consumers.get("trigger/default/t")).toEqual({
      key: "trigger/default/t",
      uid: ready.metadata.uid,
      stream: "broker/default/b",
      filter: { attributes: { type: "a" } },
      subscriber: { url: "http://sink.example" },
      reply: "stream",
      delivery: { retry: 10, backoffPolicy: "exponential", backoffDelayMs: 200 },
    });
  });

  test("follows the address of what it names, and keeps events waiting while there is none", async () => {
    await broker();
    await trigger("t", { subscriber: { ...ref("svc"), uri: "/path" } });
    const waiting = await condition(TriggerKind, "t", "SubscriberResolved", "False Unable to get the Subscriber's URI");
    expect(waiting.status).not.toHaveProperty("subscriberUri");
    expect(plane.consumers.get("trigger/default/t")).not.toHaveProperty("subscriber");
    await service("svc");
    const found = await condition(TriggerKind, "t", "Ready", "True");
    expect(found.status).toMatchObject({ subscriberUri: "http://svc.default.svc.cluster.local/path" });
    await until(
      () => plane.consumers.get("trigger/default/t")?.subscriber?.url,
      (url) => url === "http://svc.default.svc.cluster.local/path",
      "address at the engine",
    );
  });

  test("replaces its Broker's delivery as a whole, but for the dead letter sink", async () => {
    await service("dls");
    await broker("b", { delivery: { retry: 5, timeout: "PT9S", deadLetterSink: ref("dls") } });
    await trigger("t", { delivery: { backoffPolicy: "linear", backoffDelay: "PT2S" } });
    const ready = await condition(TriggerKind, "t", "Ready", "True");
    expect(ready.status).toMatchObject({ deadLetterSinkUri: "http://dls.default.svc.cluster.local" });
    expect(plane.consumers.get("trigger/default/t")).toMatchObject({
      delivery: { backoffPolicy: "linear", backoffDelayMs: 2000 },
      deadLetter: { url: "http://dls.default.svc.cluster.local" },
    });
    expect(plane.consumers.get("trigger/default/t")?.delivery).not.toHaveProperty("retry");
  });

  test("is told how to work by annotations", async () => {
    await broker();
    await trigger(
      "t",
      {},
      {
        "events.ebb.dev/start-at": "id:7",
        "events.ebb.dev/paused": "true",
        "kafka.eventing.knative.dev/delivery.order": "ordered",
        "events.ebb.dev/parallelism": "3",
      },
    );
    await condition(TriggerKind, "t", "Ready", "True");
    expect(plane.consumers.get("trigger/default/t")).toMatchObject({
      start: { from: "id", id: "7" },
      paused: true,
      ordered: true,
      maxInFlight: 3,
    });
  });

  test("waits with its events for the object it depends on", async () => {
    await broker();
    await trigger(
      "t",
      {},
      {
        "knative.dev/dependency": JSON.stringify({
          apiVersion: "messaging.knative.dev/v1",
          kind: "InMemoryChannel",
          name: "dep",
        }),
      },
    );
    await condition(TriggerKind, "t", "DependencyReady", "False DependencyDoesNotExist");
    expect(plane.consumers.get("trigger/default/t")).not.toHaveProperty("subscriber");
    await plane.client.create(InMemoryChannelKind, { metadata: { name: "dep", namespace }, spec: {} });
    await condition(TriggerKind, "t", "Ready", "True");
    await until(() => plane.consumers.get("trigger/default/t")?.subscriber, Boolean, "subscriber");
  });

  test("ends its consumer when it is deleted", async () => {
    await broker();
    await trigger("t");
    await condition(TriggerKind, "t", "Ready", "True");
    await plane.client.delete(TriggerKind, { namespace, name: "t" });
    await until(
      () => plane.consumers.size,
      (size) => size === 0,
      "end of the consumer",
    );
  });

  test("of a circle says so, naming all of it", async () => {
    const to = (name: string) => ({ ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name } });
    await broker("b");
    await broker("c");
    await trigger("there", { subscriber: to("c") });
    await trigger("back", { broker: "c", subscriber: to("b") });
    const [first] = await until(
      () => [...plane.events],
      (events) => events.length > 0,
      "warning",
    );
    expect(first).toMatch(/^EventLoop: events go round for ever.*default\/there.*default\/back/);
  });
});

describe("Channels and Subscriptions", () => {
  const channel = { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name: "c" };
  const subscribe = (spec: object) =>
    plane.client.create(SubscriptionKind, { metadata: { name: "s", namespace }, spec: { channel, ...spec } } as never);

  test("a Channel makes an InMemoryChannel and has its address", async () => {
    await plane.client.create(ChannelKind, { metadata: { name: "c", namespace }, spec: { delivery: { retry: 2 } } });
    const made = await condition(ChannelKind, "c", "Ready", "True");
    expect(made.status).toMatchObject({
      address: { url: "http://c.log/default" },
      channel: { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel", name: "c", namespace },
    });
    expect((await get(InMemoryChannelKind, "c")).spec).toEqual({ delivery: { retry: 2 } });
  });

  test("a Channel of a kind that is not served says which is", async () => {
    const channelTemplate = { apiVersion: "messaging.knative.dev/v1beta1", kind: "KafkaChannel" };
    await plane.client.create(ChannelKind, { metadata: { name: "c", namespace }, spec: { channelTemplate } });
    const made = await condition(ChannelKind, "c", "BackingChannelReady", "False ChannelTemplateUnsupported");
    expect(JSON.stringify(made.status)).toContain("no KafkaChannel of messaging.knative.dev/v1beta1 is served here");
  });

  test("a Subscription waits for its channel, is its consumer, and shows in its spec", async () => {
    await service("svc");
    await subscribe({ subscriber: ref("svc"), delivery: { retry: 1 } });
    await condition(SubscriptionKind, "s", "ChannelReady", "Unknown ChannelDoesNotExist");
    await plane.client.create(ChannelKind, { metadata: { name: "c", namespace }, spec: {} });
    const ready = await condition(SubscriptionKind, "s", "Ready", "True");
    expect(ready.status).toMatchObject({
      physicalSubscription: { subscriberUri: "http://svc.default.svc.cluster.local" },
    });
    expect(plane.consumers.get("subscription/default/s")).toMatchObject({
      stream: "channel/default/c",
      subscriber: { url: "http://svc.default.svc.cluster.local" },
      delivery: { retry: 1 },
    });
    const backing = await until(
      () => get(InMemoryChannelKind, "c"),
      ({ status }) => (status?.subscribers ?? []).length > 0,
      "subscriber",
    );
    expect(backing.spec.subscribers).toMatchObject([{ uid: ready.metadata.uid, name: "s" }]);
    expect(backing.status?.subscribers).toMatchObject([{ uid: ready.metadata.uid, ready: "True" }]);
    await plane.client.delete(SubscriptionKind, { namespace, name: "s" });
    await until(
      () => get(InMemoryChannelKind, "c"),
      ({ spec }) => (spec.subscribers ?? []).length === 0,
      "end of the entry",
    );
    expect(plane.consumers.size).toBe(0);
  });

  test("events wait for the receiver of answers, too", async () => {
    await plane.client.create(ChannelKind, { metadata: { name: "c", namespace }, spec: {} });
    await subscribe({ subscriber: { uri: "http://a.example" }, reply: ref("later") });
    await condition(SubscriptionKind, "s", "ReferencesResolved", "False ReplyResolveFailed");
    await condition(SubscriptionKind, "s", "AddedToChannel", "True");
    expect(plane.consumers.get("subscription/default/s")).not.toHaveProperty("subscriber");
    await service("later");
    await condition(SubscriptionKind, "s", "Ready", "True");
    expect(plane.consumers.get("subscription/default/s")).toMatchObject({
      subscriber: { url: "http://a.example" },
      reply: { url: "http://later.default.svc.cluster.local" },
    });
  });
});
