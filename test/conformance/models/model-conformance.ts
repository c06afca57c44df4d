import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventCases, httpCases, type EventCase, type HttpCase, type Trait } from "./cases.ts";

/** A function that serves in a process of its own. */
export interface ServedModel {
  readonly port: number;
  /** All it wrote to its output so far. */
  printed(): string;
  /** Asks it to end (TERM); gives the exit code. */
  terminate(): Promise<number | undefined>;
  /** Ends it now, whatever it does; also after it has ended. */
  kill(): Promise<void>;
}

export interface ModelUnderTest {
  /** `fetch`, or `fetch (by methods)`. */
  readonly name: string;
  readonly traits: readonly Trait[];
  /** Starts one with the model's fixture; `env` is added to its environment. */
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<ServedModel>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** By node:http, not fetch: it sends GET with a body, OPTIONS, and headers as they are given. */
export function call(port: number, one: Pick<HttpCase, "method" | "path" | "headers" | "body">): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, headers, body } = one;
    const declared = body !== undefined && headers?.["transfer-encoding"] === undefined;
    const length = declared ? { "content-length": Buffer.byteLength(body) } : {};
    const options = {
      port,
      host: "127.0.0.1",
      method,
      path,
      headers: { ...length, ...headers },
      agent: false,
    } as const;
    const sent = httpRequest(options, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Runs the whole suite for one model of one host. */
export function runModelConformance(model: ModelUnderTest): void {
  const has = (trait: Trait): boolean => model.traits.includes(trait);
  describe(model.name, () => {
    let served: ServedModel;
    beforeAll(async () => {
      served = await model.start();
    });
    afterAll(() => served?.kill());

    if (!has("events-only")) {
      for (const one of httpCases.filter((one) => one.needs.every(has)))
        test(one.name, async () => checkHttp(await call(served.port, one), one));
      httpBehaviour(() => served, has);
    }
    if (has("events"))
      for (const one of eventCases)
        test(one.name, async () => checkEvent(await call(served.port, { ...one, method: "POST", path: "/" }), one));
    if (has("limits")) limitedBehaviour(model, has);
    test("a request in flight finishes after TERM, then the process ends with 0", async () => {
      const other = await model.start();
      try {
        const slow = has("events-only")
          ? call(other.port, { method: "POST", path: "/", headers: waitEvent })
          : call(other.port, { path: "/wait" });
        await new Promise((resolve) => setTimeout(resolve, 100));
        const ended = other.terminate();
        expect((await slow).status).toBeLessThan(300);
        expect(await ended).toBe(0);
      } finally {
        await other.kill();
      }
    });
  });
}

const waitEvent = { "ce-specversion": "1.0", "ce-id": "w", "ce-source": "/test", "ce-type": "wait" };

/** Not `test.runIf`: what a model cannot do is no skipped test. */
function testIf(can: boolean, name: string, run: () => Promise<void>): void {
  if (can) test(name, run);
}

function httpBehaviour(served: () => ServedModel, has: (trait: Trait) => boolean): void {
  test("a failure is in the log with the request's id and the stack, and not in the answer", async () => {
    const answer = await call(served().port, { path: "/throw", headers: { "x-request-id": "req-99" } });
    expect(answer.body.toString()).not.toContain("cheese");
    await expect.poll(() => served().printed()).toMatch(/req-99[\s\S]*out of cheese/);
  });
  testIf(has("streams"), "an answer is sent piece by piece", async () => {
    const pieces = await new Promise<string[]>((resolve, reject) => {
      const seen: string[] = [];
      httpRequest({ port: served().port, host: "127.0.0.1", path: "/stream", agent: false }, (res) => {
        res.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
        res.once("end", () => resolve(seen));
      })
        .once("error", reject)
        .end();
    });
    expect(pieces).toEqual(["tick 0\n", "tick 1\n", "tick 2\n"]);
  });
  testIf(has("large"), "a body of 20 MB arrives whole", async () => {
    const answer = await call(served().port, { method: "POST", path: "/length", body: Buffer.alloc(20_000_000, 97) });
    expect([answer.status, answer.body.toString()]).toEqual([200, "20000000"]);
  });
  testIf(has("cancels"), "a caller that leaves cancels the work", async () => {
    const sent = httpRequest({ port: served().port, host: "127.0.0.1", path: "/slow", agent: false });
    sent.on("error", () => undefined).end();
    await new Promise((resolve) => setTimeout(resolve, 100));
    sent.destroy();
    await expect.poll(async () => (await call(served().port, { path: "/left" })).body.toString()).toBe("1");
  });
  testIf(has("concurrent"), "requests run side by side", async () => {
    const began = performance.now();
    await Promise.all(Array.from({ length: 5 }, () => call(served().port, { path: "/wait" })));
    expect(performance.now() - began).toBeLessThan(1400);
  });
}

/** Settings that all models of a host share: EBB_TIMEOUT, EBB_CONCURRENCY, EBB_BODY_LIMIT, EBB_LOG_FORMAT. */
function limitedBehaviour(model: ModelUnderTest, has: (trait: Trait) => boolean): void {
  describe("with limits", () => {
    let served: ServedModel;
    beforeAll(async () => {
      const limits = { EBB_TIMEOUT: "0.2", EBB_CONCURRENCY: "1", EBB_BODY_LIMIT: "1000", EBB_LOG_FORMAT: "json" };
      served = await model.start(limits);
    });
    afterAll(() => served?.kill());
    test("a request that takes too long is 504, and its work is cancelled", async () => {
      expect((await call(served.port, { path: "/slow" })).status).toBe(504);
      if (has("cancels"))
        await expect.poll(async () => (await call(served.port, { path: "/left" })).body.toString()).toBe("1");
    });
    test("a body that is too long is 413, declared or not", async () => {
      const body = Buffer.alloc(1001, 97);
      expect((await call(served.port, { method: "POST", path: "/length", body })).status).toBe(413);
      const chunked = { "transfer-encoding": "chunked" };
      const answer = await call(served.port, { method: "POST", path: "/length", body, headers: chunked });
      expect(answer.status).toBe(413);
      expect((await call(served.port, { method: "POST", path: "/length", body: "abc" })).body.toString()).toBe("3");
    });
    test("requests beyond the concurrency wait their turn", async () => {
      const began = performance.now();
      const answers = await Promise.all([1, 2].map(() => call(served.port, { path: "/text" })));
      expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
      const three = await Promise.all([1, 2, 3].map(() => call(served.port, { path: "/slow" })));
      expect(three.map((answer) => answer.status)).toEqual([504, 504, 504]);
      expect(performance.now() - began).toBeGreaterThan(550);
    });
    test("each request has a line of JSON in the log, with its id", async () => {
      await call(served.port, { path: "/text?secret=1", headers: { "x-request-id": "line-1" } });
      const lines = (): unknown[] =>
        served
          .printed()
          .split("\n")
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as unknown);
      const wanted = { msg: "request", requestId: "line-1", method: "GET", path: "/text", status: 200 };
      await expect.poll(lines).toContainEqual(expect.objectContaining(wanted));
    });
  });
}

function checkHttp(answer: Answer, { expect: wanted }: HttpCase): void {
  expect(answer.status, answer.body.toString()).toBe(wanted.status);
  checkHeaders(answer, wanted.headers);
  if (wanted.cookies) expect(answer.headers["set-cookie"]).toEqual(wanted.cookies);
  if (typeof wanted.body === "string") expect(answer.body.toString()).toBe(wanted.body);
  else if (wanted.body) expect(answer.body.equals(wanted.body), `${answer.body.length} bytes`).toBe(true);
  if (wanted.json) expect(JSON.parse(answer.body.toString())).toMatchObject(wanted.json);
}

function checkEvent(answer: Answer, { expect: wanted }: EventCase): void {
  expect(answer.status, answer.body.toString()).toBe(wanted.status);
  checkHeaders(answer, wanted.headers);
  if (wanted.json !== undefined) expect(JSON.parse(answer.body.toString())).toEqual(wanted.json);
  if (wanted.says) expect(answer.body.toString()).toMatch(wanted.says);
}

function checkHeaders(answer: Answer, wanted: Readonly<Record<string, string | RegExp>> = {}): void {
  for (const [name, value] of Object.entries(wanted)) {
    if (typeof value === "string") expect(answer.headers[name], name).toBe(value);
    else expect(answer.headers[name], name).toMatch(value);
  }
}
