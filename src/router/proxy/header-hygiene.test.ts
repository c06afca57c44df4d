/** Which headers cross the proxy, in both directions, as a real app and a real client see them. */
import type { IncomingHttpHeaders } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeForwarded } from "./forwarded.ts";
import { type Harness, makeIngress, RawClient, startHarness } from "../testing/router-harness.ts";

let harness: Harness;
let seen: IncomingHttpHeaders = {};
let rawSeen: string[] = [];
let answer: Record<string, string | string[]> = {};

beforeEach(async () => {
  harness = await startHarness({ options: { makeTraceparent: true }, deps: { random: () => 0.5 } });
  answer = {};
  harness.ready(
    await harness.app((req, res) => {
      seen = req.headers;
      rawSeen = req.rawHeaders;
      for (const [name, value] of Object.entries(answer)) res.setHeader(name, value);
      res.end("ok");
    }),
  );
});
afterEach(() => harness.stop());

async function send(...lines: string[]): Promise<string> {
  const client = new RawClient(harness.port);
  client.send(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
  const text = await client.until("ok");
  client.destroy();
  return text;
}

describe("towards the app", () => {
  test("everything else goes byte for byte, in order, with its own spelling", async () => {
    await send("X-One: 1", "x-TWO:  spaced\t", "Accept: */*", "X-One: again", "Cookie: a=b;c=d");
    const sent = "Host app.test X-One 1 x-TWO spaced Accept */* X-One again Cookie a=b;c=d";
    expect(rawSeen.slice(0, 12)).toEqual(sent.split(" "));
  });

  test("what ends at this hop is taken off, and what Connection lists with it", async () => {
    await send(
      "Connection: keep-alive, X-Private, X-Other",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic x",
      "X-Private: 1",
      "x-other: 2",
      "TE: gzip, trailers",
      "Upgrade: h2c",
      "HTTP2-Settings: AAA",
      "X-Kept: 3",
    );
    expect(seen).toMatchObject({ "x-kept": "3", te: "trailers" });
    for (const name of ["keep-alive", "proxy-connection", "proxy-authorization", "x-private", "x-other", "upgrade"]) {
      expect(seen[name], name).toBeUndefined();
    }
    expect(seen["http2-settings"]).toBeUndefined();
  });

  test("a client cannot have credentials or the proxy's own headers removed through Connection", async () => {
    await send("Connection: Authorization, Cookie, X-Forwarded-For, Host", "Authorization: Bearer x", "Cookie: a=b");
    expect(seen).toMatchObject({
      host: "app.test",
      authorization: "Bearer x",
      cookie: "a=b",
      "x-forwarded-for": "127.0.0.1",
    });
  });

  test("the platform's own headers from a client are dropped", async () => {
    await send("K-Original-Host: evil", "K-Anything: x", "Knative-Serving-Namespace: other", "knative-serving-tag: t");
    expect(Object.keys(seen).filter((name) => /^k(native)?-/.test(name))).toEqual([]);
  });

  test("forwarding headers are made when the client brings none", async () => {
    await send();
    expect(seen).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      forwarded: "for=127.0.0.1;host=app.test;proto=http",
    });
  });

  test("forwarding headers of a proxy before are passed on and added to", async () => {
    await send("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 2001:db8::1", "X-Forwarded-Proto: https");
    expect(seen).toMatchObject({
      "x-forwarded-for": "192.0.2.1, 2001:db8::1, 127.0.0.1",
      "x-forwarded-proto": "https",
      forwarded: 'for=192.0.2.1;host=app.test;proto=https, for="[2001:db8::1]", for=127.0.0.1',
    });
    await send("Forwarded: for=192.0.2.9");
    expect(seen.forwarded).toBe("for=192.0.2.9");
  });

  test("ids and trace context are passed on, or made, anew for each request", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await send("X-Request-Id: mine", `traceparent: ${traceparent}`, "tracestate: a=b");
    expect(seen).toMatchObject({ "x-request-id": "mine", traceparent, tracestate: "a=b" });
    expect(harness.access.at(-1)?.requestId).toBe("mine");
    await send();
    const first = { ...seen };
    expect(first["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(first["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(harness.access.at(-1)?.requestId).toBe(first["x-request-id"]);
    await send();
    expect(seen["x-request-id"]).not.toBe(first["x-request-id"]);
    expect(seen["traceparent"]).not.toBe(first["traceparent"]);
  });

  test("the same head over again on one connection gets the same treatment and its own ids", async () => {
    const head = "GET /same HTTP/1.1\r\nHost: app.test\r\nX-A: 1\r\nConnection: keep-alive\r\n\r\n";
    const client = new RawClient(harness.port);
    const ids = new Set<string | undefined>();
    const heads = new Set<string>();
    for (let i = 0; i < 4; i++) {
      client.received = "";
      await client.send(head).until("ok");
      ids.add(String(seen["x-request-id"]));
      heads.add(JSON.stringify({ ...seen, "x-request-id": "", traceparent: "" }));
    }
    client.destroy();
    expect([ids.size, heads.size]).toEqual([4, 1]);
  });

  test("headers a route sets replace the client's; a rewritten host leaves the original behind", async () => {
    const ingress = makeIngress("mapped.test", { app: 100 });
    const path = ingress.spec.rules?.[0]?.http?.paths[0];
    if (path === undefined) throw new Error("the fixture has no path");
    const appendHeaders = { "K-Original-Host": "mapped.test", "X-Set": "by route" };
    const changed = { ...path, rewriteHost: "app.default.svc.cluster.local", appendHeaders };
    const rules = [{ hosts: ["mapped.test"], http: { paths: [changed] } }];
    harness.router.applyIngress("default/mapped", { ...ingress, spec: { rules } });
    const local = { hosts: ["app.default.svc.cluster.local"], http: { paths: [path] } };
    harness.router.applyIngress("default/app", { ...ingress, spec: { rules: [local] } });
    const client = new RawClient(harness.port);
    client.send("GET / HTTP/1.1\r\nX-Set: by client\r\nHost: mapped.test\r\nX-Kept: 1\r\n\r\n");
    await client.until("ok");
    client.destroy();
    expect(seen).toMatchObject({
      host: "app.default.svc.cluster.local",
      "x-forwarded-host": "mapped.test",
      "k-original-host": "mapped.test",
      "x-set": "by route",
      "x-kept": "1",
      forwarded: "for=127.0.0.1;host=mapped.test;proto=http",
    });
  });
});

describe("towards the client", () => {
  test("what ends at this hop is taken off, the rest comes as it is", async () => {
    answer = { "X-App": "1", "Set-Cookie": ["a=1", "b=2"], "Proxy-Authenticate": "x", Trailer: "x" };
    const text = await send();
    expect(text).toMatch(/X-App: 1\r\n/);
    expect(text).toMatch(/Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    expect(text).not.toMatch(/^(?:connection|keep-alive|proxy-authenticate):/im);
  });

  test("what the app's Connection lists ends here too", async () => {
    answer = { Connection: "X-Hop, keep-alive", "X-Hop": "1", "X-App": "2" };
    const text = await send();
    expect(text).toMatch(/X-App: 2\r\n/);
    expect(text).not.toMatch(/x-hop/i);
  });
});

test.each([
  ["192.0.2.1", "a.test", "http", "for=192.0.2.1;host=a.test;proto=http"],
  ["192.0.2.1, 192.0.2.2", "a.test:8080", "https", 'for=192.0.2.1;host="a.test:8080";proto=https, for=192.0.2.2'],
  ["::1", "[::1]:80", "http", 'for="[::1]";host="[::1]:80";proto=http'],
])("Forwarded from %s", (chain, host, proto, expected) => {
  expect(makeForwarded(chain, host, proto)).toBe(expected);
});
