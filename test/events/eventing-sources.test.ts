/** Flows and sources on the real API server in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import { JobKind } from "../../src/api/batch/kinds.ts";
import { ConfigMapKind, NamespaceKind, SecretKind, ServiceKind } from "../../src/api/core/kinds.ts";
import { EventTypeKind } from "../../src/api/eventing/kinds.ts";
import { ParallelKind, SequenceKind } from "../../src/api/flows/kinds.ts";
import { InMemoryChannelKind, SubscriptionKind } from "../../src/api/messaging/kinds.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import {
  ApiServerSourceKind,
  ContainerSourceKind,
  IntegrationSourceKind,
  PingSourceKind,
  SinkBindingKind,
} from "../../src/api/sources/kinds.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane, type Judged } from "./eventing-plane.ts";

let plane: EventingPlane;
afterEach(() => plane.close());

const uri = (host: string) => ({ uri: `http://${host}.example` });
const create = <T extends KubeObject>(kind: Kind<T>, name: string, spec: object, meta: object = {}): Promise<T> =>
  plane.client.create(kind, { metadata: { name, namespace, ...meta }, spec } as never);
const get = <T extends KubeObject>(kind: Kind<T>, name: string): Promise<T> =>
  plane.client.get(kind, { namespace, name });
const condition = <T extends Judged>(kind: Kind<T>, name: string, type: string, wanted: string): Promise<T> =>
  until(
    () => get(kind, name),
    (object) => told(object, type) === wanted,
    `${type} ${wanted} of ${name}`,
  );

describe("flows", () => {
  beforeEach(async () => {
    plane = await createEventingPlane();
  });

  test("a Sequence hands each step's answer to the next, and the last one's to reply", async () => {
    await create(SequenceKind, "seq", {
      steps: [uri("one"), { ...uri("two"), delivery: { retry: 4 } }],
      reply: uri("end"),
    });
    const ready = await condition(SequenceKind, "seq", "Ready", "True");
    expect(ready.status?.address?.url).toBe("http://seq-kn-sequence-0.log/default");
    expect(ready.status?.channelStatuses).toHaveLength(2);
    expect(ready.status?.subscriptionStatuses?.map((one) => one.ready?.status)).toEqual(["True", "True"]);
    expect(plane.consumers.get("subscription/default/seq-kn-sequence-0")).toMatchObject({
      stream: "channel/default/seq-kn-sequence-0",
      subscriber: { url: "http://one.example" },
      reply: { url: "http://seq-kn-sequence-1.log/default" },
    });
    expect(plane.consumers.get("subscription/default/seq-kn-sequence-1")).toMatchObject({
      subscriber: { url: "http://two.example" },
      reply: { url: "http://end.example" },
      delivery: { retry: 4 },
    });
  });

  test("a step that is taken out takes its channel and Subscription with it", async () => {
    const made = await create(SequenceKind, "seq", { steps: [uri("one"), uri("two")] });
    await condition(SequenceKind, "seq", "Ready", "True");
    const known = await get(SequenceKind, "seq");
    await plane.client.update(SequenceKind, { ...known, spec: { ...made.spec, steps: [uri("one")] } });
    await until(
      async () => (await plane.client.list(SubscriptionKind, { namespace })).items.map(({ metadata }) => metadata.name),
      (names) => names.length === 1,
      "one Subscription",
    );
    await until(
      async () => (await plane.client.list(InMemoryChannelKind, { namespace })).items,
      (channels) => channels.length === 1,
      "one channel",
    );
    await until(
      () => plane.consumers.get("subscription/default/seq-kn-sequence-0"),
      (consumer) => consumer !== undefined && consumer.reply === undefined,
      "last step without a reply",
    );
  });

  test("a Parallel's branches are gated by their filters, and answer to their own reply first", async () => {
    await create(ParallelKind, "par", {
      branches: [
        { filter: uri("gate"), subscriber: uri("one"), delivery: { retry: 2 } },
        { subscriber: uri("two"), reply: uri("own") },
      ],
      reply: uri("all"),
    });
    const ready = await condition(ParallelKind, "par", "Ready", "True");
    expect(ready.status?.address?.url).toBe("http://par-kn-parallel.log/default");
    expect(ready.status?.branchStatuses).toHaveLength(2);
    const consumer = (name: string) => plane.consumers.get(`subscription/default/${name}`);
    expect(consumer("par-kn-parallel-filter-0")).toMatchObject({
      stream: "channel/default/par-kn-parallel",
      subscriber: { url: "http://gate.example" },
      reply: { url: "http://par-kn-parallel-0.log/default" },
    });
    expect(consumer("par-kn-parallel-0")).toMatchObject({
      subscriber: { url: "http://one.example" },
      reply: { url: "http://all.example" },
      delivery: { retry: 2 },
    });
    expect(consumer("par-kn-parallel-filter-1")).toMatchObject({
      subscriber: { url: "http://par-kn-parallel-1.log/default" },
    });
    expect(consumer("par-kn-parallel-1")).toMatchObject({ reply: { url: "http://own.example" } });
  });
});

describe("a PingSource", () => {
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock(Date.parse("2026-03-28T23:30:30Z"));
    plane = await createEventingPlane(clock);
  });
  const sent = () => plane.sent.map(({ event }) => event.time);

  test("sends at its times, in its time zone, once per time", async () => {
    await create(PingSourceKind, "p", {
      schedule: "0 2 * * *",
      timezone: "Europe/Berlin",
      contentType: "application/json",
      data: '{"n":1.0}',
      sink: uri("sink"),
      ceOverrides: { extensions: { region: "eu" } },
    });
    const ready = await condition(PingSourceKind, "p", "Ready", "True");
    expect(ready.status).toMatchObject({
      sinkUri: "http://sink.example",
      ceAttributes: [{ type: "dev.knative.sources.ping", source: "/apis/v1/namespaces/default/pingsources/p" }],
    });
    // The night of the change to summer time has no two o'clock: three o'clock stands for it.
    const times = ["2026-03-29T01:00:00.000Z", "2026-03-30T00:00:00.000Z", "2026-03-31T00:00:00.000Z"];
    for (const [i] of times.entries())
      await until(
        async () => {
          if (sent().length <= i) await clock.advance(1_800_000);
          return sent();
        },
        (seen) => seen.length === i + 1,
        `run ${i + 1}`,
      );
    expect(sent()).toEqual(times);
    expect(new Set(plane.sent.map(({ event }) => event.id)).size).toBe(3);
    const [first] = plane.sent;
    expect(first?.event).toMatchObject({
      type: "dev.knative.sources.ping",
      region: "eu",
      datacontenttype: "application/json",
    });
    expect(Buffer.from(first?.event.data as Uint8Array).toString()).toBe('{"n":1.0}');
    const last = await until(
      async () => {
        await clock.advance(1000);
        return (await plane.client.get(PingSourceKind, { namespace, name: "p" })).status?.annotations;
      },
      (annotations) => annotations?.["events.ebb.dev/last-run"] === times[2],
      "the last run in the status",
    );
    expect(last).toEqual({
      "events.ebb.dev/last-run": "2026-03-31T00:00:00.000Z",
      "events.ebb.dev/next-run": "2026-04-01T00:00:00.000Z",
    });
  });

  test("tries a sink again, and says when it gave up", async () => {
    plane.played.sinkFails = "the sink answered 503";
    await create(PingSourceKind, "p", { schedule: "* * * * *", data: "x", sink: uri("sink") });
    await condition(PingSourceKind, "p", "Ready", "True");
    const said = await until(
      async () => {
        await clock.advance(40_000);
        return [...plane.events];
      },
      (events) => events.length > 0,
      "warning",
    );
    expect(said[0]).toMatch(/^EventNotTaken: the event of 2026-03-28T23:3\d:00.000Z was not taken by http:\/\/sink/);
    plane.played.sinkFails = "";
    await until(
      async () => {
        await clock.advance(30_000);
        return plane.sent.length;
      },
      (count) => count > 0,
      "an event after the sink came back",
    );
  });

  test("waits for its sink", async () => {
    const sink = { ref: { apiVersion: "v1", kind: "Service", name: "later" } };
    await create(PingSourceKind, "p", { schedule: "* * * * *", sink });
    await condition(PingSourceKind, "p", "SinkProvided", "False NotFound");
    await create(ServiceKind, "later", { ports: [{ port: 80 }] });
    await condition(PingSourceKind, "p", "Ready", "True");
  });
});

describe("timers and types", () => {
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    plane = await createEventingPlane(clock);
  });

  test("an IntegrationSource's timer sends as often as it is told, each event with an id of its own", async () => {
    const timer = { period: 100, message: "tick", repeatCount: 3 };
    await create(IntegrationSourceKind, "i", { timer, sink: uri("sink") });
    await condition(IntegrationSourceKind, "i", "Ready", "True");
    await until(
      async () => {
        await clock.advance(100);
        return plane.sent.length;
      },
      (count) => count === 3,
      "three events",
    );
    await clock.advance(1000);
    expect(plane.sent).toHaveLength(3);
    expect(new Set(plane.sent.map(({ event }) => event.id)).size).toBe(3);
    expect(plane.sent[0]?.event).toMatchObject({ type: "dev.knative.connector.event.timer" });
    expect(Buffer.from(plane.sent[0]?.event.data as Uint8Array).toString()).toBe("tick");
  });

  test("an IntegrationSource reads a queue with the keys of its Secret; streams of DynamoDB are not served", async () => {
    const auth = { secret: { ref: { name: "keys" } } };
    await create(IntegrationSourceKind, "q", { aws: { sqs: { arn: "q", region: "r" }, auth }, sink: uri("sink") });
    await condition(IntegrationSourceKind, "q", "Ready", "False SecretNotFound");
    const stringData = { "aws.accessKey": "a", "aws.secretKey": "s" };
    await plane.client.create(SecretKind, { metadata: { name: "keys", namespace }, stringData });
    const read = await until(
      async () => {
        await clock.advance(5000);
        return plane.sources.get("integrationsource/default/q");
      },
      (spec) => spec !== undefined,
      "a source that is read",
    );
    expect(read?.settings).toMatchObject({
      aws: { sqs: { arn: "q" }, credentials: { accessKey: "a", secretKey: "s" } },
    });
    plane.tell("integrationsource/default/q", { connected: true });
    await condition(IntegrationSourceKind, "q", "Ready", "True");
    await create(IntegrationSourceKind, "d", {
      aws: { ddbStreams: { table: "t", region: "r" }, auth },
      sink: uri("sink"),
    });
    await condition(IntegrationSourceKind, "d", "Ready", "False NotServed");
  });

  test("an EventType says whether what has its events is there", async () => {
    const attributes = ["type", "source", "specversion", "id"].map((name) => ({ name, required: true }));
    const reference = { apiVersion: "v1", kind: "Service", name: "s" };
    await create(EventTypeKind, "t", { reference, attributes });
    await condition(EventTypeKind, "t", "Ready", "False ReferenceDoesNotExist");
    await create(ServiceKind, "s", { ports: [{ port: 80 }] });
    await until(
      async () => {
        await clock.advance(5000);
        return get(EventTypeKind, "t");
      },
      (object) => told(object, "Ready") === "True",
      "a Ready EventType",
    );
  });
});

describe("an ApiServerSource", () => {
  beforeEach(async () => {
    plane = await createEventingPlane();
  });

  test("is read as the account it names, and says which permission that lacks", async () => {
    const selector = { matchLabels: { app: "x" } };
    await create(ApiServerSourceKind, "a", {
      sink: uri("sink"),
      mode: "Resource",
      serviceAccountName: "watcher",
      resources: [
        { apiVersion: "v1", kind: "ConfigMap", selector },
        { apiVersion: "example.com/v1", kind: "Later" },
      ],
    });
    const unserved = await condition(ApiServerSourceKind, "a", "Deployed", "Unknown KindsNotServed");
    expect(unserved.status).toMatchObject({ namespaces: ["default"] });
    const key = "apiserversource/default/a";
    expect(plane.sources.get(key)?.settings).toMatchObject({
      serviceAccountName: "watcher",
      mode: "Resource",
      namespaces: ["default"],
      watched: [{ kind: { plural: "configmaps" }, selector }],
    });
    const lacking = 'User u cannot get, list, watch resource "configmaps" in API group "" in Namespace "default"';
    plane.tell(key, { connected: false, trouble: lacking });
    await condition(ApiServerSourceKind, "a", "SufficientPermissions", "False LackingPermissions");
    plane.tell(key, { connected: true });
    await condition(ApiServerSourceKind, "a", "SufficientPermissions", "True");
  });

  test("of selected namespaces watches those that have the labels", async () => {
    const namespaceSelector = { matchLabels: { team: "a" } };
    await create(ApiServerSourceKind, "a", {
      sink: uri("sink"),
      namespaceSelector,
      resources: [{ apiVersion: "v1", kind: "ConfigMap" }],
    });
    await condition(ApiServerSourceKind, "a", "SufficientPermissions", "False NoNamespaces");
    await plane.client.create(NamespaceKind, { metadata: { name: "one", labels: { team: "a" } } });
    await until(
      () =>
        (plane.sources.get("apiserversource/default/a")?.settings as { namespaces?: readonly string[] } | undefined)
          ?.namespaces,
      (names) => names?.join() === "one",
      "namespace",
    );
  });
});

describe("programs that send", () => {
  beforeEach(async () => {
    plane = await createEventingPlane();
  });
  const template = (name: string) => ({
    metadata: { labels: { app: "x" } },
    spec: { containers: [{ name, image: "i", env: [{ name: "MINE", value: "1" }] }] },
  });
  const deployment = (name: string) =>
    create(DeploymentKind, name, { selector: { matchLabels: { app: "x" } }, template: template("c") });
  const envOf = async (name: string) => {
    const { spec } = await get(DeploymentKind, name);
    return Object.fromEntries((spec.template.spec?.containers[0]?.env ?? []).map((one) => [one.name, one.value]));
  };

  test("a SinkBinding tells its subject of the sink, and takes it back when it goes", async () => {
    const subject = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
    await create(SinkBindingKind, "b", { sink: uri("sink"), subject, ceOverrides: { extensions: { a: "b" } } });
    await condition(SinkBindingKind, "b", "SinkBindingAvailable", "False SubjectMissing");
    await deployment("d");
    await condition(SinkBindingKind, "b", "Ready", "True");
    expect(await envOf("d")).toEqual({
      MINE: "1",
      K_SINK: "http://sink.example",
      K_CE_OVERRIDES: '{"extensions":{"a":"b"}}',
    });
    await plane.client.delete(SinkBindingKind, { namespace, name: "b" });
    await until(
      () => envOf("d"),
      (env) => !("K_SINK" in env),
      "the variables to go",
    );
    expect(await envOf("d")).toEqual({ MINE: "1" });
  });

  test("what is written after its SinkBinding is bound as it is written, by name or labels, Jobs too", async () => {
    const selector = { matchLabels: { sends: "yes" } };
    await create(SinkBindingKind, "b", {
      sink: uri("sink"),
      subject: { apiVersion: "batch/v1", kind: "Job", selector },
      ceOverrides: { extensions: { a: "b" } },
    });
    await until(
      () => get(SinkBindingKind, "b"),
      ({ status }) => status?.sinkUri === "http://sink.example",
      "the sink",
    );
    const job = (name: string, labels: object) =>
      plane.client.create(JobKind, {
        metadata: { name, namespace, labels },
        spec: { template: { ...template("c"), spec: { ...template("c").spec, restartPolicy: "Never" } } },
      } as never);
    const envOfJob = async (made: ReturnType<typeof job>) =>
      (await made).spec.template.spec?.containers[0]?.env?.map((one) => `${one.name}=${one.value ?? ""}`);
    expect(await envOfJob(job("bound", { sends: "yes" }))).toEqual([
      "MINE=1",
      "K_SINK=http://sink.example",
      'K_CE_OVERRIDES={"extensions":{"a":"b"}}',
    ]);
    expect(await envOfJob(job("other", { sends: "no" }))).toEqual(["MINE=1"]);
    expect(await envOfJob(job("left", { sends: "yes", "bindings.knative.dev/exclude": "true" }))).toEqual(["MINE=1"]);
    await condition(SinkBindingKind, "b", "Ready", "True");
  });

  test("a program that sends to a sink with an audience finds a token, which is renewed", async () => {
    await plane.close();
    const clock = new ManualClock();
    let issued = 0;
    plane = await createEventingPlane(clock, {
      issueToken: async ({ name }, audience) => ({
        token: `${++issued} ${name} ${audience}`,
        expiresAtMs: clock.now() + 3_600_000,
      }),
    });
    await plane.client.create(NamespaceKind, { metadata: { name: "knative-eventing" } });
    await plane.client.create(ConfigMapKind, {
      metadata: { name: "config-features", namespace: "knative-eventing" },
      data: { "authentication-oidc": "enabled" },
    });
    await deployment("d");
    const subject = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
    await create(SinkBindingKind, "b", { sink: { ...uri("sink"), audience: "mine" }, subject });
    const bound = await condition(SinkBindingKind, "b", "OIDCTokenSecretCreated", "True");
    expect(bound.status?.oidcTokenSecretName).toBe("b-oidc-token");
    const token = async () =>
      Buffer.from((await get(SecretKind, "b-oidc-token")).data?.["token"] ?? "", "base64").toString();
    expect(await token()).toBe("1 b-oidc-sources.knative.dev-sinkbinding mine");
    const { spec } = await until(
      () => get(DeploymentKind, "d"),
      (one) => (one.spec.template.spec?.volumes ?? []).length > 0,
      "the token's volume",
    );
    const pod = spec.template.spec;
    expect(pod?.containers[0]?.volumeMounts).toEqual([{ name: "oidc-token", mountPath: "/oidc", readOnly: true }]);
    expect(pod?.volumes).toMatchObject([
      { projected: { sources: [{ secret: { name: "b-oidc-token", items: [{ key: "token", path: "token" }] } }] } },
    ]);
    await until(
      async () => {
        await clock.advance(600_000);
        return token();
      },
      (text) => text.startsWith("2 "),
      "another token",
    );
    expect((await get(DeploymentKind, "d")).metadata.generation).toBe(2);
  });

  test("a ContainerSource runs its pods once there is a sink, with the sink in them from the start", async () => {
    const sink = { ref: { apiVersion: "v1", kind: "Service", name: "later" } };
    await create(ContainerSourceKind, "k", { sink, template: template("c") });
    await condition(ContainerSourceKind, "k", "SinkProvided", "False NotFound");
    expect((await plane.client.list(DeploymentKind, { namespace })).items).toEqual([]);
    await create(ServiceKind, "later", { ports: [{ port: 80 }] });
    await condition(ContainerSourceKind, "k", "SinkBindingReady", "True");
    expect(await envOf("k-deployment")).toMatchObject({ K_SINK: "http://later.default.svc.cluster.local", MINE: "1" });
    expect((await get(DeploymentKind, "k-deployment")).metadata.generation).toBe(1);
    await condition(ContainerSourceKind, "k", "ReceiveAdapterReady", "Unknown DeploymentUnavailable");
  });
});
