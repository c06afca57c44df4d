import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const source = mkdtempSync(join(tmpdir(), "ebb-async-"));
const data = mkdtempSync(join(tmpdir(), "ebb-async-data-"));
let ebb: EbbProcess;

const slow = `export default async (request) => {
  const { waitMs = 0, status = 200 } = await request.json().catch(() => ({}));
  await new Promise((done) => setTimeout(done, waitMs));
  return new Response("done " + request.headers.get("ebb-delivery-attempt"), { status });
};`;

beforeAll(async () => {
  writeFileSync(join(source, "slow.js"), slow);
  ebb = await startEbb({ dir: data });
  expect(await ebb.ebb("deploy", join(source, "slow.js"), "--name", "slow")).toMatchObject({ code: 0 });
}, 60_000);
afterAll(async () => {
  await ebb.stop();
  for (const dir of [source, data]) rmSync(dir, { recursive: true });
});

const settled = async (id: string, words: string): Promise<void> => {
  await expect.poll(async () => (await ebb.ebb("call", id)).stdout.trim(), { timeout: 15_000 }).toBe(words);
};

test("a sleeping service is called without waiting, and asked after by the command line", async () => {
  const taken = await ebb.ebb("invoke", "slow", "--async", "-d", '{"waitMs":300}');
  expect(taken).toMatchObject({ code: 0 });
  const id = taken.stdout.trim();
  await settled(id, "succeeded (answer 200, 1 attempt)");
  expect(await ebb.ebb("call", id, "--result")).toMatchObject({ code: 0, stdout: "done 1" });
  expect(await ebb.ebb("call", "nothing")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no call "nothing"'),
  });
});

test("a host without a service is 404 at once, not later", async () => {
  const answer = await ebb.call("none.default.localhost", { method: "POST", headers: { prefer: "respond-async" } });
  expect(answer.status).toBe(404);
});

test("a call that was taken is carried out after kill -9", { timeout: 60_000 }, async () => {
  const answer = await ebb.call("slow.default.localhost", {
    method: "POST",
    headers: { prefer: "respond-async", "content-type": "application/json" },
    body: '{"waitMs":3000}',
  });
  expect(answer.status).toBe(202);
  const id = String(answer.headers["x-call-id"]);
  await ebb.kill9();
  ebb = await startEbb({ dir: data });
  await settled(id, "succeeded (answer 200, 1 attempt)");
});
