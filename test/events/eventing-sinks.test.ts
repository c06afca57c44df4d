/** Controllers of sinks, RequestReplies and EventTypes on the real API server in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigMapKind, NamespaceKind, ServiceKind } from "../../src/api/core/kinds.ts";
import {
  BrokerKind,
  EventTransformKind,
  EventTypeKind,
  RequestReplyKind,
  TriggerKind,
} from "../../src/api/eventing/kinds.ts";
import { ChannelKind } from "../../src/api/messaging/kinds.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import { IntegrationSinkKind, JobSinkKind } from "../../src/api/sinks/kinds.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane, type Judged } from "./eventing-plane.ts";

let plane: EventingPlane;
beforeEach(async () => {
  plane = await createEventingPlane();
});
afterEach(() => plane.close());

const create = <T extends KubeObject>(kind: Kind<T>, name: string, spec: object): Promise<T> =>
  plane.client.create(kind, { metadata: { name, namespace }, spec } as never);
const get = <T extends KubeObject>(kind: Kind<T>, name: string): Promise<T> =>
  plane.client.get(kind, { namespace, name });
const condition = <T extends Judged>(kind: Kind<T>, name: string, type: string, wanted: string): Promise<T> =>
  until(
    () => get(kind, name),
    (object) => told(object, type) === wanted,
    `${type} ${wanted} of ${name}`,
  );
const gone = (kind: Kind, name: string): Promise<boolean> =>
  until(
    () =>
      get(kind, name).then(
        () => false,
        (error: unknown) => isNotFound(error),
      ),
    (is) => is,
    `end of ${name}`,
  );
const later = { ref: { apiVersion: "v1", kind: "Service", name: "later" } };

describe("sinks", () => {
  const job = { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } } };

  test("a JobSink has an address and says how to find its Jobs; it is closed before it is gone", async () => {
    await create(JobSinkKind, "j", { job });
    const { status } = await condition(JobSinkKind, "j", "Ready", "True");
    expect(status).toMatchObject({
      address: { name: "http", url: "http://front.log/job-sink/default/j" },
      job: { selector: "sinks.knative.dev/job-sink-name=j" },
    });
    expect(plane.sinks.get("job-sink/default/j")?.action.kind).toBe("job");
    await plane.client.delete(JobSinkKind, { namespace, name: "j" });
    await gone(JobSinkKind, "j");
    expect(plane.sinks.size).toBe(0);
  });

  test("says why it has no address, and tries again", async () => {
    plane.played.fails = "no port";
    await create(JobSinkKind, "j", { job });
    await condition(JobSinkKind, "j", "Addressable", "False NoURL");
    plane.played.fails = "";
    await condition(JobSinkKind, "j", "Ready", "True");
  });

  test("an EventTransform takes nothing before its sink is there", async () => {
    const reply = { jsonata: { expression: "$" } };
    await create(EventTransformKind, "t", { jsonata: { expression: "$" }, sink: later, reply });
    await condition(EventTransformKind, "t", "TransformationReady", "False SinkNotResolved");
    expect(plane.sinks.size).toBe(0);
    await create(ServiceKind, "later", { ports: [{ port: 80 }] });
    const ready = await condition(EventTransformKind, "t", "Ready", "True");
    expect(ready.status?.sinkUri).toBe("http://later.default.svc.cluster.local");
    expect(plane.sinks.get("event-transform/default/t")?.action).toEqual({
      kind: "transform",
      expression: "$",
      sink: { url: "http://later.default.svc.cluster.local" },
      reply: { expression: "$" },
    });
  });

  test("an IntegrationSink writes to the log", async () => {
    await create(IntegrationSinkKind, "l", { log: {} });
    await condition(IntegrationSinkKind, "l", "Ready", "True");
    expect(plane.sinks.get("integration-sink/default/l")?.action.kind).toBe("log");
  });
});

describe("a RequestReply", () => {
  test("waits for its Broker, and has a Trigger bring the replies back", async () => {
    await create(RequestReplyKind, "r", {
      brokerRef: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "b" },
      timeout: "PT5S",
    });
    await condition(RequestReplyKind, "r", "BrokerReady", "False BrokerDoesNotExist");
    await create(BrokerKind, "b", {});
    const ready = await condition(RequestReplyKind, "r", "Ready", "True");
    expect(ready.status).toMatchObject({
      address: { url: "http://front.log/request-reply/default/r" },
      desiredReplicas: 1,
      readyReplicas: 1,
    });
    expect(plane.sinks.get("request-reply/default/r")?.action).toEqual({
      kind: "request-reply",
      broker: { url: "http://b.log/default" },
      correlationAttribute: "correlationid",
      replyAttribute: "replyid",
      timeoutMs: 5000,
    });
    const trigger = await get(TriggerKind, "r-replies");
    expect(trigger.spec).toMatchObject({
      broker: "b",
      filters: [{ suffix: { replyid: `:${ready.metadata.uid}` } }],
      subscriber: { uri: "http://front.log/request-reply/default/r/replies" },
    });
    expect(trigger.metadata.ownerReferences).toMatchObject([{ kind: "RequestReply", name: "r", controller: true }]);
  });
});

describe("EventTypes", () => {
  const seen = (name: string, type: string, kind: "broker" | "channel" = "broker", isLast = false) =>
    plane.see({ stream: { kind, namespace, name, uid: "u" }, type, source: "/shop", isLast });
  const types = async () => (await plane.client.list(EventTypeKind, { namespace })).items;

  test("are made for what comes to a Broker, once, and go with it", async () => {
    const broker = await create(BrokerKind, "b", {});
    await condition(BrokerKind, "b", "Ready", "True");
    seen("b", "order");
    seen("b", "order");
    seen("nobody", "order");
    const [made, ...others] = await until(types, (all) => all.length > 0, "an EventType");
    expect(others).toEqual([]);
    expect(made?.metadata.name).toMatch(/^et-b-[0-9a-f]{32}$/);
    expect(made?.metadata.ownerReferences).toMatchObject([{ kind: "Broker", name: "b", uid: broker.metadata.uid }]);
    expect(made?.spec).toMatchObject({
      reference: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "b" },
      attributes: [
        { name: "type", required: true, value: "order" },
        { name: "source", required: true, value: "/shop" },
        { name: "specversion", required: true },
        { name: "id", required: true },
      ],
    });
    await condition(EventTypeKind, made?.metadata.name ?? "", "Ready", "True");
  });

  test("name a Channel rather than what is behind it, and stop where there are too many", async () => {
    await create(ChannelKind, "c", {});
    await condition(ChannelKind, "c", "Ready", "True");
    seen("c", "order", "channel", true);
    const [made] = await until(types, (all) => all.length > 0, "an EventType");
    expect(made?.spec.reference).toMatchObject({ kind: "Channel", name: "c" });
    await until(
      () => plane.events.join(),
      (events) => events.includes("TooManyEventTypes"),
      "a warning",
    );
  });

  test("are not made where config-features says so", async () => {
    await plane.client.create(NamespaceKind, { metadata: { name: "knative-eventing" } });
    await plane.client.create(ConfigMapKind, {
      metadata: { name: "config-features", namespace: "knative-eventing" },
      data: { "eventtype-auto-create": "disabled" },
    });
    await create(BrokerKind, "b", {});
    await condition(BrokerKind, "b", "Ready", "True");
    seen("b", "order");
    seen("b", "other");
    await condition(BrokerKind, "b", "Ready", "True");
    expect(await types()).toEqual([]);
  });
});
