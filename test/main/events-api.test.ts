/** events.ebb.dev on its way: a controller that checks whoever asks, ebb-events that answers the controller alone. */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import type { ReviewedUser } from "../../src/client/review-access.ts";
import { localDesk } from "../../src/events/sharing/consumer-desk.ts";
import { eventSubresources } from "../../src/main/event-subresources.ts";
import { eventsApiHandler } from "../../src/main/events-api.ts";
import { listenForDesk } from "../../src/main/events-desk-listener.ts";
import { brokerSpec, startPlane, triggerSpec, type Plane } from "../events/event-plane.ts";

const controller = "system:serviceaccount:ebb-system:ebb-controller";
const root = "/apis/events.ebb.dev/v1alpha1/namespaces/default";
const closers: (() => unknown)[] = [];
let plane: Plane;
let url = "";
let deskUrl = "";
let user: ReviewedUser | undefined;
let asked: object[] = [];
let allowed = true;

beforeEach(async () => {
  plane = await startPlane();
  closers.push(() => plane.close());
  await plane.engine.setStream(brokerSpec);
  const dir = mkdtempSync(join(tmpdir(), "ebb-events-api-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  const tokenFile = join(dir, "token");
  writeFileSync(tokenFile, "of-the-controller\n");
  const desk = localDesk(() => ({ engine: plane.engine, clock: systemClock }));
  const door = await listenForDesk(
    { host: "127.0.0.1", port: 0 },
    {
      handlers: eventSubresources(() => ({ engine: plane.engine, desk })),
      reviewToken: async (token) =>
        token === "of-the-controller" || token === "of-another"
          ? { name: token === "of-another" ? "other" : controller, groups: [], expiresAtMs: Infinity }
          : undefined,
      controller,
    },
  );
  closers.push(() => door.close());
  deskUrl = `http://127.0.0.1:${door.port}`;
  [user, asked, allowed] = [{ name: "jane", groups: ["devs"], extra: {} }, [], true];
  const handler = eventsApiHandler({
    frontProxy: async () => user,
    reviewAccess: async (who, what) => {
      asked.push({ who: who.name, ...what });
      return { allowed, reason: "no rule" };
    },
    target: { host: "127.0.0.1", port: door.port },
    tokenFile,
  });
  const server = createServer((request, response) => void handler.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => (server.closeAllConnections(), server.close()));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const sendOne = (id: string): Promise<Response> =>
  fetch(`${url}${root}/brokers/orders/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({ specversion: "1.0", id, source: "/me", type: "order" }),
  });

test("an event is sent and read, and the user asked about by subresource and verb", async () => {
  expect((await sendOne("1")).status).toBe(202);
  const log = await fetch(`${url}${root}/brokers/orders/log`);
  expect(JSON.parse((await log.text()).trim())).toMatchObject({ seq: 1, event: { id: "1", type: "order" } });
  const common = { who: "jane", group: "events.ebb.dev", namespace: "default", name: "orders", resource: "brokers" };
  expect(asked).toMatchObject([
    { ...common, verb: "create", subresource: "events" },
    { ...common, verb: "get", subresource: "log" },
  ]);
});

test("who follows gets what comes, line by line", async () => {
  const following = await fetch(`${url}${root}/brokers/orders/log?follow=true`);
  const reader = following.body?.pipeThrough(new TextDecoderStream()).getReader();
  await sendOne("2");
  expect((await reader?.read())?.value).toContain('"id":"2"');
  await reader?.cancel();
});

test("triggers tell their lag, are replayed and keep dead letters", async () => {
  await plane.engine.setConsumer(triggerSpec("http://127.0.0.1:9/"));
  await sendOne("3");
  const at = `${url}${root}/triggers/t`;
  await expect.poll(async () => (await fetch(`${at}/deadletters`)).text()).toContain('"id":"3"');
  expect(await (await fetch(`${at}/lag`)).json()).toMatchObject({ lag: 0, parked: 1 });
  const redriven = await fetch(`${at}/deadletters?seq=1`, { method: "POST" });
  expect(await redriven.json()).toMatchObject({ failed: 1, reason: expect.stringContaining("127.0.0.1:9") });
  expect((await fetch(`${at}/replay?from=earliest`, { method: "POST" })).status).toBe(200);
  expect(await (await fetch(`${at}/deadletters?seq=1`, { method: "DELETE" })).json()).toEqual({ discarded: 1 });
});

test.each<[string, string, string, number, RegExp]>([
  ["no start", "POST", "/triggers/t/replay", 400, /say where from/],
  ["an id that is not there", "POST", "/triggers/t/replay?id=9", 400, /no event with the id/],
  [
    "no such trigger",
    "POST",
    "/triggers/none/replay?from=now",
    404,
    /triggers.eventing.knative.dev .*none.* not found/,
  ],
  ["no such broker", "GET", "/brokers/none/log", 404, /brokers.eventing.knative.dev .*none.* not found/],
  ["another verb", "PUT", "/brokers/orders/events", 405, /does not allow/],
  ["a verb of another resource", "POST", "/brokers/orders/log", 405, /does not allow/],
  ["another resource", "GET", "/brokers/orders/status", 404, /could not find/],
])("%s: %s %s is %i", async (_case, method, path, code, message) => {
  await plane.engine.setConsumer(triggerSpec(undefined));
  const answer = await fetch(`${url}${root}${path}`, { method });
  const status = (await answer.json()) as { readonly kind: string; readonly message: string };
  expect([answer.status, status.kind]).toEqual([code, "Status"]);
  expect(status.message).toMatch(message);
});

test("strangers get nowhere: not at the controller, not by right, not past it", async () => {
  allowed = false;
  const refused = await fetch(`${url}${root}/triggers/t/replay?from=earliest`, { method: "POST" });
  expect([refused.status, await refused.text()]).toEqual([
    403,
    expect.stringContaining('User \\"jane\\" cannot create resource \\"triggers/replay\\"'),
  ]);
  user = undefined;
  expect((await fetch(`${url}${root}/brokers/orders/log`)).status).toBe(401);
  for (const authorization of ["", "Bearer of-another", "Bearer nonsense"])
    expect((await fetch(`${deskUrl}${root}/brokers/orders/log`, { headers: { authorization } })).status).toBe(401);
});

test("discovery lists what there is, and a dead ebb-events is told of", async () => {
  const list = await fetch(`${url}/apis/events.ebb.dev/v1alpha1`);
  const { resources } = (await list.json()) as { readonly resources: readonly { readonly name: string }[] };
  expect(resources.map(({ name }) => name)).toContain("triggers/replay");
  await closers.splice(2, 1)[0]?.();
  const answer = await sendOne("4");
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("ebb-events does not answer")]);
});
