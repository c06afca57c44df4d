import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openImageStore } from "../../images/store.ts";
import { buildCaller, makeSchedule } from "./make-schedule.ts";

const store = openImageStore(mkdtempSync(join(tmpdir(), "ebb-schedule-")));
const seen: IncomingHttpHeaders[] = [];
let status = 202;
const server = createServer((req, res) => {
  seen.push(req.headers);
  res.writeHead(status).end();
});
afterAll(() => {
  server.close();
  store.close();
});

async function call(args: readonly string[]): Promise<number | null> {
  const image = await buildCaller(store);
  const root = await store.unpack(image.slice(image.indexOf("@") + 1));
  const child = spawn(process.execPath, [join(root, "app/call.mjs"), ...args], { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

test("the program of a schedule sends one event to the function, and fails when the function does", async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await call([url, "f.default.localhost", "/cronjobs/f"])).toBe(0);
  expect(seen).toMatchObject([
    { host: "f.default.localhost", "ce-type": "dev.knative.sources.ping", "ce-source": "/cronjobs/f" },
  ]);
  status = 500;
  expect(await call([url, "f.default.localhost", "/cronjobs/f"])).toBe(1);
  expect(await call(["http://127.0.0.1:1", "f", "/"])).toBe(1);
});

test("the CronJob goes with its Service", () => {
  const facts = { name: "f", namespace: "n", schedule: "@hourly", image: "i", url: "u", host: "h" };
  expect(makeSchedule({ ...facts, owner: { uid: "1" } })).toMatchObject({
    kind: "CronJob",
    metadata: { name: "f", namespace: "n", ownerReferences: [{ kind: "Service", name: "f", uid: "1" }] },
    spec: { schedule: "@hourly", concurrencyPolicy: "Forbid" },
  });
});
