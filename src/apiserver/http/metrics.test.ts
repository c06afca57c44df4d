import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../test-server.ts";

let t: TestServer;
let asked = 0;
beforeAll(async () => {
  t = await startTestServer({ metrics: () => `asked_total ${++asked}\n` });
});
afterAll(() => t.close());

test("/metrics is read anew for each who may see it", async () => {
  expect((await t.ask("GET", "/metrics")).text).toBe("asked_total 1\n");
  const { status, text, headers } = await t.ask("GET", "/metrics");
  expect([status, text]).toEqual([200, "asked_total 2\n"]);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
});

test("/metrics is not for anonymous", async () => {
  expect((await t.ask("GET", "/metrics", { token: "none" })).status).toBe(403);
});

test("without metrics there is no such path", async () => {
  const bare = await startTestServer();
  expect((await bare.ask("GET", "/metrics")).status).toBe(404);
  await bare.close();
});
