/** Where clients from outside are not believed about who asked before them. */
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:http2";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Harness, makeIngress, RawClient, startHarness } from "../testing/router-harness.ts";

let harness: Harness;
let publicPort: number;
let seen: IncomingHttpHeaders = {};

beforeEach(async () => {
  harness = await startHarness({ options: { distrustForwarded: true, httpsPort: 443 } });
  publicPort = (await harness.router.listen({ host: "127.0.0.1", port: 0, reach: "public" })).port;
  harness.ready(
    await harness.app((req, res) => {
      seen = req.headers;
      res.end("ok");
    }),
  );
});
afterEach(() => harness.stop());

const tales = {
  "X-Forwarded-For": "192.0.2.1",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "bank.test",
  "X-Forwarded-Port": "443",
  Forwarded: "for=192.0.2.1;proto=https",
  "X-Real-IP": "192.0.2.1",
  "X-Kept": "1",
};
const lines = Object.entries(tales)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");

async function send(port: number): Promise<string> {
  const client = new RawClient(port).send(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n`);
  const text = await client.until(/ok$|Location: .*\r\n/);
  client.destroy();
  return text;
}

const own = {
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-proto": "http",
  forwarded: "for=127.0.0.1;host=app.test;proto=http",
  "x-kept": "1",
};

function expectOwnWords(): void {
  expect(seen).toMatchObject(own);
  for (const name of ["x-forwarded-host", "x-forwarded-port", "x-real-ip"]) expect(seen[name]).toBeUndefined();
}

test("what they say is replaced by what the router sees", async () => {
  await send(publicPort);
  expectOwnWords();
});

test("by HTTP/2 too", async () => {
  const session = connect(`http://127.0.0.1:${publicPort}`);
  const told = Object.fromEntries(Object.entries(tales).map(([name, value]) => [name.toLowerCase(), value]));
  const stream = session.request({ ":path": "/", ":authority": "app.test", ...told });
  stream.resume();
  await once(stream, "end");
  session.close();
  expectOwnWords();
});

test("a claim of https does not spare them the redirect", async () => {
  const ingress = makeIngress("app.test", { app: 100 });
  harness.router.applyIngress("default/app.test", { ...ingress, spec: { ...ingress.spec, httpOption: "Redirected" } });
  expect(await send(publicPort)).toMatch(/^HTTP\/1\.1 301 /);
  expect(await send(harness.port)).toMatch(/^HTTP\/1\.1 200 /);
});

test("who asks from inside is believed", async () => {
  await send(harness.port);
  expect(seen).toMatchObject({ "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-proto": "https" });
  expect(seen["x-real-ip"]).toBe("192.0.2.1");
});
