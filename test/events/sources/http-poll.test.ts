import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/client/clock.ts";
import type { EventStore } from "../../../src/events/log/event-store.ts";
import { openSqliteStore } from "../../../src/events/log/sqlite-store.ts";
import { makeServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, ids, until, type SourceBench } from "./source-bench.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe("an HttpPollSource", () => {
  let dir = "";
  let store: EventStore;
  let bench: SourceBench;
  let server: Server;
  let url = "";
  let answer: (headers: IncomingHttpHeaders) => Answer;
  let asked: IncomingHttpHeaders[] = [];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "ebb-poll-"));
    store = openSqliteStore({ path: join(dir, "events.db") }, systemClock);
    bench = await createSourceBench({ documents: store });
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.headers);
      const { status = 200, headers = {}, body = "" } = answer(request.headers);
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`;
  });
  afterEach(async () => {
    await bench.close();
    await store.close();
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  const open = async (settings: object = {}) => {
    const spec = bench.spec("HttpPollSource", { url, interval: "50ms", ...settings });
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (state) => state?.connected === true || state?.trouble !== undefined,
      "state",
    );
    return spec;
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );
  const askedMore = async (): Promise<void> => {
    const before = asked.length;
    await until(
      () => asked.length,
      (count) => count >= before + 3,
      "further questions",
    );
  };
  const trouble = () => bench.runner.sourceState("httppollsource/default/s")?.trouble;

  test("sends an answer when it is another one, and asks only for that", async () => {
    let body = '{"n":1.0}';
    answer = ({ "if-none-match": known }) =>
      known === `"${body}"`
        ? { status: 304 }
        : { headers: { etag: `"${body}"`, "last-modified": "yesterday", "content-type": "application/json" }, body };
    await open({ headers: { "X-A": "1" }, secretHeaders: { Authorization: "Bearer hush" }, eventType: "feed.changed" });
    const [first] = await got(1);
    expect(first).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-type": "feed.changed",
        "ce-source": "/sources/httppollsource",
        "content-type": "application/json",
      },
    });
    await askedMore();
    expect(bench.received).toHaveLength(1);
    expect(asked.at(-1)).toMatchObject({
      "x-a": "1",
      authorization: "Bearer hush",
      "if-none-match": '"{"n":1.0}"',
      "if-modified-since": "yesterday",
    });
    body = "2";
    await got(2);
    expect(new Set(ids(bench.received)).size).toBe(2);
  });

  test("sends each item once, in order, over restarts and refusals of the sink", async () => {
    let items = [{ id: 1 }, { id: 2 }];
    answer = () => ({ body: JSON.stringify({ data: { items } }) });
    const expressions = { items: "data.items", itemId: "id" };
    const spec = await open(expressions);
    await got(2);
    expect(ids(bench.received)).toEqual(["1", "2"]);
    await askedMore();
    expect(bench.received).toHaveLength(2);
    await bench.runner.removeSource(spec.key, spec.uid);
    items = [{ id: 2 }, { id: 3 }, { id: 4 }];
    let refusals = 1;
    bench.answer = () => (refusals-- > 0 ? 500 : 204);
    await open(expressions);
    await got(5);
    expect(ids(bench.received)).toEqual(["1", "2", "3", "3", "4"]);
    await askedMore();
    expect(bench.received).toHaveLength(5);
  });

  test("items without an id are told apart by what they are; those of the first answer can be passed over", async () => {
    let items = ["a", "b"];
    answer = () => ({ body: JSON.stringify(items) });
    await open({ items: "$", existing: "skip" });
    await askedMore();
    items = ["a", "b", "c"];
    await got(1);
    expect(bodies(bench.received)).toEqual(['"c"']);
  });

  test("remembers an item that is sent while another is refused", async () => {
    answer = () => ({ body: '[{"id":"good"},{"id":"bad"}]' });
    bench.answer = ({ body }) => (body.includes("bad") ? 400 : 204);
    const spec = await open({ items: "$", itemId: "id", maxInFlight: 2 });
    await got(2);
    await bench.runner.removeSource(spec.key, spec.uid);
    const before = bench.received.length;
    bench.answer = () => 204;
    await open({ items: "$", itemId: "id", maxInFlight: 2 });
    await got(before + 1);
    expect(ids(bench.received).slice(before)).toEqual(["bad"]);
  });

  test.each<[string, Answer, object, RegExp]>([
    ["a refused login", { status: 401 }, {}, /answered 401: check spec\.secretHeaders/],
    ["a wrong path", { status: 404 }, {}, /answered 404: check spec\.url/],
    ["no JSON", { body: "<html>" }, { items: "a" }, /is not JSON, which spec\.items needs/],
    ["an expression that fails", { body: "{}" }, { items: '$error("no")' }, /spec\.items cannot be evaluated: no/],
    ["too much", { body: "x".repeat(11) }, { maxBytes: 10 }, /more than 10 bytes: raise spec\.maxBytes/],
    ["patience", { status: 429, headers: { "retry-after": "60" } }, {}, /answered 429/],
  ])("%s is told", async (_, bad, settings, told) => {
    answer = () => bad;
    await open(settings);
    await until(trouble, (text) => text !== undefined && told.test(text), "trouble");
    expect(bench.received).toEqual([]);
  });

  test("goes on after the server was away", async () => {
    answer = () => ({ body: "1" });
    await open();
    await got(1);
    answer = () => ({ status: 500 });
    await until(trouble, (text) => text?.endsWith("answered 500") === true, "trouble");
    answer = () => ({ body: "2" });
    await got(2);
    await until(trouble, (text) => text === undefined, "end of trouble");
  });

  test("believes a server by its certificate", async () => {
    const certificates = makeServerCertificates();
    const key = { key: readFileSync(certificates.keyFile), cert: readFileSync(certificates.certFile) };
    const secure = createTlsServer(key, (_request, response) => void response.end("x"));
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const at = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`;
    try {
      const spec = await open({ url: at });
      await until(trouble, (text) => text?.includes("check spec.tls and its caCert") === true, "trouble");
      await bench.runner.removeSource(spec.key, spec.uid);
      await open({ url: at, tls: { caCert: certificates.ca } });
      await got(1);
    } finally {
      secure.closeAllConnections();
      secure.close();
      certificates.remove();
    }
  });
});
