import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const source = mkdtempSync(join(tmpdir(), "ebb-events-"));
const data = mkdtempSync(join(tmpdir(), "ebb-events-data-"));
let ebb: EbbProcess;

/** Answers orders with an event of its own, refuses poison until it is told otherwise, and says what it got. */
const program = `let healed = false;
export default async (request) => {
  const type = request.headers.get("ce-type");
  console.log("got", type, request.headers.get("ce-id"), await request.text());
  if (type === "heal") healed = true;
  if (type === "poison" && !healed) return new Response("no", { status: 400 });
  if (type !== "order") return new Response("OK");
  const headers = { "ce-specversion": "1.0", "ce-id": "re-" + request.headers.get("ce-id"), "ce-source": "/f", "ce-type": "paid" };
  return new Response("thanks", { headers: { ...headers, "content-type": "text/plain" } });
};`;
const trigger = (name: string, type?: string): string => `
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name}, namespace: default }
spec:
  broker: default
  ${type === undefined ? "" : `filter: { attributes: { type: ${type} } }`}
  delivery: { retry: 0 }
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: f } }`;
const manifest = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: default }${trigger("orders", "order")}${trigger("paid", "paid")}${trigger("poison", "poison")}${trigger("heal", "heal")}`;

beforeAll(async () => {
  writeFileSync(join(source, "f.js"), program);
  ebb = await startEbb({ dir: data });
  expect(await ebb.ebb("deploy", join(source, "f.js"), "--name", "f", "--min", "1")).toMatchObject({ code: 0 });
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest })).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  await ebb.stop();
  for (const dir of [source, data]) rmSync(dir, { recursive: true });
});

const words = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await ebb.ebb("events", ...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trim();
};
const sees = (text: string): Promise<void> =>
  expect.poll(async () => (await ebb.ebb("logs", "f")).stdout, { timeout: 15_000 }).toContain(text) as Promise<void>;

test("a broker and its triggers are ready", async () => {
  await expect
    .poll(async () => (await ebb.kubectl(["get", "triggers", "--no-headers"])).stdout.match(/True/g)?.length, {
      timeout: 15_000,
    })
    .toBe(4);
});

test("an event reaches its function, the reply the next one, and both are seen", { timeout: 60_000 }, async () => {
  expect(await words("send", "--type", "order", "--id", "1", "-d", '{"n":1}')).toBe("1");
  await sees('got order 1 {"n":1}');
  await sees("got paid re-1 thanks");
  const seen = (await words("tail")).split("\n");
  expect(seen[0]).toMatch(/^1 {2}[\d:.]{12} {2}order {2}\/ebb\/events {2}1 {2}\{"n":1\}$/);
  expect(seen[1]).toMatch(/paid {2}\/f {2}re-1 {2}"thanks"$/);
  expect(JSON.parse((await words("tail", "--json", "--type", "paid")).split("\n")[0] ?? "")).toMatchObject({
    seq: 2,
    event: { id: "re-1", data: "thanks" },
  });
});

test("producers reach the broker through the router, under upstream's name", async () => {
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "2",
    "ce-source": "/me",
    "ce-type": "order",
    "content-type": "text/plain",
  };
  const answer = await ebb.call("broker-ingress.knative-eventing.localhost", {
    method: "POST",
    path: "/default/default",
    headers,
    body: "x",
  });
  expect(answer.status).toBe(202);
  await sees("got order 2 x");
  const none = await ebb.call("broker-ingress.knative-eventing.localhost", {
    method: "POST",
    path: "/default/none",
    headers,
    body: "x",
  });
  expect([none.status, none.body]).toEqual([404, 'there is no broker "none" in namespace "default"\n']);
});

test(
  "a poison event is kept with its reason over kill -9, and delivered when the function can take it",
  { timeout: 90_000 },
  async () => {
    await words("send", "--type", "poison", "--id", "bad", "-d", "arsenic");
    await expect.poll(() => words("dead-letter", "poison"), { timeout: 10_000 }).toContain("it answered 400");
    await ebb.kill9();
    ebb = await startEbb({ dir: data });
    await expect
      .poll(async () => (await ebb.ebb("events", "dead-letter", "poison")).stdout, { timeout: 20_000 })
      .toContain("arsenic");
    const refused = await ebb.ebb("events", "dead-letter", "poison", "--redrive");
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("failed: it answered 400") });
    await words("send", "--type", "heal");
    await sees("got heal");
    expect(await words("dead-letter", "poison", "--redrive")).toMatch(/^\d+ delivered$/);
    expect(await words("dead-letter", "poison")).toBe("");
  },
);

test("a replay delivers again from where it is told", { timeout: 60_000 }, async () => {
  const count = async (): Promise<number> => (await ebb.ebb("logs", "f")).stdout.match(/got order 2/g)?.length ?? 0;
  const before = await count();
  expect(await words("replay", "orders", "--id", "2")).toMatch(/events will be delivered/);
  await expect.poll(count, { timeout: 10_000 }).toBe(before + 1);
  expect(await ebb.ebb("events", "replay", "orders", "--id", "none")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no event with the id "none"'),
  });
  expect(await ebb.ebb("events", "replay", "nobody")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"nobody" not found'),
  });
});
