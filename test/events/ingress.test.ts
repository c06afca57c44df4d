import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuthorize } from "../../src/events/ingress/authorize.ts";
import { StoreFailure, type EventStore } from "../../src/events/log/event-store.ts";
import { broker, brokerSpec, startPlane, type Plane, type PlaneOptions } from "./event-plane.ts";

let plane: Plane;
const start = async (options?: PlaneOptions): Promise<void> => {
  await plane.close();
  plane = await startPlane(options);
  await plane.engine.setStream(brokerSpec);
};
beforeEach(async () => {
  plane = await startPlane();
  await plane.engine.setStream(brokerSpec);
});
afterEach(() => plane.close());

const stored = async (): Promise<unknown[]> =>
  (await plane.engine.read(broker, { after: 0, limit: 100 })).map(({ event }) => event.attributes["id"]);
const post = (path: string, type: string, body: string): Promise<Response> =>
  fetch(plane.url + path, { method: "POST", headers: { "content-type": type }, body });
const structured = "application/cloudevents+json";

test("an event is taken in binary, structured and batched mode, and on disk when it is", async () => {
  expect((await plane.send("/default/orders", "1")).status).toBe(202);
  const event = (id: string): object => ({ specversion: "1.0", id, source: "/s", type: "t", data: { n: 1 } });
  expect((await post("/default/orders", structured, JSON.stringify(event("2")))).status).toBe(202);
  const batch = JSON.stringify([event("3"), event("4")]);
  expect((await post("/default/orders", "application/cloudevents-batch+json", batch)).status).toBe(202);
  expect((await post("/default/orders", "application/cloudevents-batch+json", "[]")).status).toBe(202);
  plane = await plane.restart();
  await plane.engine.setStream(brokerSpec);
  expect(await stored()).toEqual(["1", "2", "3", "4"]);
});

test("data is kept as it is written, numbers that a double cannot hold too", async () => {
  const body = '{"specversion":"1.0","id":"1","source":"/s","type":"t","data": {"a":1.0,"b":123456789012345678901} }';
  await post("/default/orders", structured, body);
  await post("/default/orders", "application/cloudevents-batch+json", `[ ${body.replace('"1"', '"2"')} ]`);
  for (const { event } of await plane.engine.read(broker, { after: 0, limit: 9 }))
    expect(Buffer.from(event.data ?? []).toString()).toBe('{"a":1.0,"b":123456789012345678901}');
});

test("arrival and hops are written on what comes to a broker; hops that came are counted down", async () => {
  await plane.send("/default/orders", "1");
  await plane.send("/default/orders", "2", { "ce-knativebrokerttl": "7" });
  const [first, second] = await plane.engine.read(broker, { after: 0, limit: 9 });
  expect(first?.event.attributes["knativebrokerttl"]).toBe(255);
  expect(String(first?.event.attributes["knativearrivaltime"])).toMatch(/^\d{4}-\d\d-\d\dT/);
  expect(second?.event.attributes["knativebrokerttl"]).toBe(6);
});

test.each<[string, number, RegExp, () => Promise<Response>]>([
  ["no event", 400, /no CloudEvent/, () => post("/default/orders", "application/json", "{}")],
  ["a half event", 400, /"id" must be a string that is not empty/, () => plane.send("/default/orders", "")],
  ["no JSON", 400, /not JSON/, () => post("/default/orders", structured, "{")],
  [
    "one bad event in a batch",
    400,
    /missing/,
    () => post("/default/orders", "application/cloudevents-batch+json", "[{}]"),
  ],
  ["no hops left", 400, /went round/, () => plane.send("/default/orders", "1", { "ce-knativebrokerttl": "1" })],
  ["an unknown broker", 404, /no broker "none" in namespace "default"/, () => plane.send("/default/none", "1")],
  ["the root", 404, /NAMESPACE/, () => plane.send("/", "1")],
  ["half an address", 400, /NAMESPACE/, () => plane.send("/default", "1")],
  ["more than an address", 400, /NAMESPACE/, () => plane.send("/default/orders/x", "1")],
  ["a read", 405, /POST/, () => fetch(`${plane.url}/default/orders`)],
  ["too much", 413, /1048576 bytes/, () => plane.send("/default/orders", "1", {}, "x".repeat(1_048_577))],
])("%s is refused with %d and a reason", async (_case, status, message, ask) => {
  const response = await ask();
  expect(response.status).toBe(status);
  expect(await response.text()).toMatch(message);
  expect(await stored()).toEqual([]);
});

test("a body that does not say its length is cut off where it is too long", async () => {
  const { hostname, port } = new URL(plane.url);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sending = request({ hostname, port, path: "/default/orders", method: "POST" }, (response) =>
      resolve(response.statusCode),
    );
    sending.on("error", reject);
    for (let n = 0; n < 20; n += 1) sending.write(Buffer.alloc(100_000));
  });
  expect(status).toBe(413);
});

test("OPTIONS answers the webhook handshake; methods that are taken are named", async () => {
  const response = await fetch(`${plane.url}/default/orders`, {
    method: "OPTIONS",
    headers: { "webhook-request-origin": "example.com" },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("webhook-allowed-origin")).toBe("example.com");
  expect((await fetch(`${plane.url}/default/orders`)).headers.get("allow")).toBe("POST, OPTIONS");
});

test("a channel is asked for by its host, at its root only", async () => {
  await plane.engine.setStream({ kind: "channel", namespace: "default", name: "c", uid: "u2" });
  const ask = (host: string, path = "/"): Promise<number | undefined> => {
    const { hostname, port } = new URL(plane.url);
    const headers = { host, "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path, method: "POST", headers }, (response) =>
        resolve(response.statusCode),
      );
      sent.on("error", reject).end();
    });
  };
  expect(await ask("c-kn-channel.default.svc.cluster.local")).toBe(202);
  expect(await ask("c-kn-channel.default.svc.cluster.local", "/x")).toBe(400);
  expect(await ask("d-kn-channel.default.svc.cluster.local")).toBe(404);
});

test("senders who may not are told 401 or 403, and one forbidden event keeps out its batch", async () => {
  await start({
    authorize: createAuthorize({ reviewToken: async (token, audience) => (audience === "a" ? token : undefined) }),
  });
  const policies = [{ subjects: ["ada", "team:*"], filters: [{ exact: { type: "order" } }] }];
  const rule = { audience: "a", namespace: "default", mode: "deny-all", policies } as const;
  await plane.engine.setStream({ ...brokerSpec, access: rule });
  const send = async (id: string, user?: string, type = "order") =>
    (await plane.send("/default/orders", id, { "ce-type": type, ...(user ? { authorization: `Bearer ${user}` } : {}) }))
      .status;
  expect(await send("1")).toBe(401);
  expect(await send("1", "eve")).toBe(403);
  expect(await send("1", "ada", "secret")).toBe(403);
  expect(await send("2", "ada")).toBe(202);
  expect(await send("3", "team:x")).toBe(202);
  const both = [{ type: "order" }, { type: "secret" }].map((more, i) => ({
    specversion: "1.0",
    id: `b${i}`,
    source: "/s",
    ...more,
  }));
  const headers = { "content-type": "application/cloudevents-batch+json", authorization: "Bearer ada" };
  const batch = await fetch(`${plane.url}/default/orders`, { method: "POST", headers, body: JSON.stringify(both) });
  expect(batch.status).toBe(403);
  // A rule that changes holds from then on, and one that goes lets everybody send.
  await plane.engine.setStream({ ...brokerSpec, access: { ...rule, audience: "b" } });
  expect(await send("4", "ada")).toBe(401);
  await plane.engine.setStream(brokerSpec);
  expect(await send("5")).toBe(202);
  expect(await stored()).toEqual(["2", "3", "5"]);
});

test("a rule that nobody can enforce keeps everybody out", async () => {
  await start();
  const access = { audience: "a", namespace: "default", mode: "allow-all", policies: [] } as const;
  await plane.engine.setStream({ ...brokerSpec, access });
  expect((await plane.send("/default/orders", "1", { authorization: "Bearer x" })).status).toBe(403);
});

test.each<[string, string, number]>([
  ["allow-all", "system:serviceaccount:other:x", 202],
  ["deny-all", "system:serviceaccount:default:x", 403],
  ["allow-same-namespace", "system:serviceaccount:default:x", 202],
  ["allow-same-namespace", "system:serviceaccount:default-2:x", 403],
])("without a policy %s has %s answered %i", async (mode, user, status) => {
  await start({ authorize: createAuthorize({ reviewToken: async () => user }) });
  const access = { audience: "a", namespace: "default", mode: mode as "allow-all", policies: [] };
  await plane.engine.setStream({ ...brokerSpec, access });
  expect((await plane.send("/default/orders", "1", { authorization: "Bearer x" })).status).toBe(status);
});

test.each([
  ["full" as const, 507],
  ["unavailable" as const, 503],
])("a store that is %s is no 202 but %d", async (kind, status) => {
  let broken = true;
  const failing = (store: EventStore): EventStore =>
    new Proxy(store, {
      get(target, name) {
        if (name !== "openStream")
          return typeof target[name as keyof EventStore] === "function"
            ? (target[name as keyof EventStore] as () => void).bind(target)
            : target[name as keyof EventStore];
        return async (...of: Parameters<EventStore["openStream"]>) => {
          const stream = await target.openStream(...of);
          const { append } = stream;
          stream.append = (records) =>
            broken ? Promise.reject(new StoreFailure(kind, "no room")) : append.call(stream, records);
          return stream;
        };
      },
    });
  await start({ store: failing });
  const response = await plane.send("/default/orders", "1");
  expect([response.status, response.headers.get("retry-after")]).toEqual([status, "5"]);
  broken = false;
  expect((await plane.send("/default/orders", "1")).status).toBe(202);
  expect(await stored()).toEqual(["1"]);
});
