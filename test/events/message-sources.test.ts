/** Objects of message sources on the real API server in memory; what reads them is played. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { SecretKind, ServiceKind } from "../../src/api/core/kinds.ts";
import { NatsJetStreamSourceKind } from "../../src/api/sources/kinds.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane } from "./eventing-plane.ts";

let plane: EventingPlane;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  plane = await createEventingPlane(clock);
});
afterEach(() => plane.close());

const key = "natsjetstreamsource/default/n";
const sink = { uri: "http://sink.example" };
const create = (spec: object) =>
  plane.client.create(NatsJetStreamSourceKind, {
    metadata: { name: "n", namespace },
    spec: { servers: ["nats://nats:4222"], stream: "ORDERS", sink, ...spec } as never,
  });
const get = () => plane.client.get(NatsJetStreamSourceKind, { namespace, name: "n" });
const condition = (type: string, wanted: string) =>
  until(
    async () => {
      await clock.advance(1000);
      return get();
    },
    (object) => told(object, type) === wanted,
    `${type} ${wanted}`,
  );
const messageOf = async (type: string): Promise<string | undefined> =>
  (await get()).status?.conditions?.find((one) => one.type === type)?.message;

test("a source is read with the values of its Secrets, and is ready when its reader says so", async () => {
  const credentials = (name: string) => ({ secretKeyRef: { name: "nats", key: name } });
  await create({
    auth: { user: credentials("user"), password: credentials("password") },
    ceOverrides: { extensions: { region: "eu" } },
    delivery: { retry: 3, deadLetterSink: { uri: "http://dead.example" } },
  });
  await condition("ConnectionEstablished", "False SecretNotFound");
  expect(await messageOf("Ready")).toBe(
    'there is no Secret "nats" in namespace "default" (its key "user" is needed); there is no Secret "nats" in namespace "default" (its key "password" is needed): create it, or correct the source',
  );
  expect(plane.sources.size).toBe(0);
  await plane.client.create(SecretKind, {
    metadata: { name: "nats", namespace },
    stringData: { user: "ada", password: "p" },
  });
  await condition("ConnectionEstablished", "Unknown Connecting");
  expect(plane.sources.get(key)).toMatchObject({
    kind: "NatsJetStreamSource",
    source: "/apis/v1/namespaces/default/natsjetstreamsources/n",
    settings: { stream: "ORDERS", auth: { user: "ada", password: "p" }, deliverPolicy: "New", maxAckPending: 100 },
    target: { url: "http://sink.example" },
    deadLetter: { url: "http://dead.example" },
    delivery: { retry: 3 },
    extensions: { region: "eu" },
  });
  plane.tell(key, { connected: false, trouble: "the login was refused: check spec.auth" });
  await condition("Ready", "False ConnectionFailed");
  expect(await messageOf("Ready")).toBe("the login was refused: check spec.auth");
  plane.tell(key, { connected: true });
  const ready = await condition("Ready", "True");
  expect(ready.status).toMatchObject({
    sinkUri: "http://sink.example",
    ceAttributes: [{ type: "dev.ebb.nats.message", source: "/apis/v1/namespaces/default/natsjetstreamsources/n" }],
  });
  // A password that is changed is read within half a minute.
  await plane.client.patch(
    SecretKind,
    { namespace, name: "nats" },
    { type: "merge", body: { stringData: { password: "q" } } },
  );
  await until(
    async () => {
      await clock.advance(10_000);
      return plane.sources.get(key)?.settings;
    },
    (settings) => (settings as { readonly auth: { readonly password: string } }).auth.password === "q",
    "new password",
  );
});

test("a source without its sink is not read, and one whose object is deleted is forgotten", async () => {
  await create({ sink: { ref: { apiVersion: "v1", kind: "Service", name: "later" } } });
  await condition("SinkProvided", "False NotFound");
  expect(plane.sources.size).toBe(0);
  await plane.client.create(ServiceKind, { metadata: { name: "later", namespace }, spec: { ports: [{ port: 80 }] } });
  await until(
    () => plane.sources.get(key)?.target.url,
    (url) => url === "http://later.default.svc.cluster.local",
    "source",
  );
  // A server that is gone does not keep the object; its owner is told what may be left there.
  plane.played.fails = "the server is gone";
  await plane.client.delete(NatsJetStreamSourceKind, { namespace, name: "n" });
  await until(
    () => plane.sources.size,
    (size) => size === 0,
    "end of the source",
  );
  await until(
    () =>
      get().then(
        () => "there",
        () => "gone",
      ),
    (seen) => seen === "gone",
    "end of the object",
  );
  expect(plane.events).toContain("NotForgotten: what was made for it there may be left: the server is gone");
});
