import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { bundleNode } from "../../languages/node/bundle.ts";
import type { ModuleExports } from "../model.ts";
import { serveModel, type Answer, type TestSettings } from "../testing/serve-model.ts";
import type { ExpressRequest } from "./express-request.ts";
import type { ExpressResponse } from "./express-response.ts";
import { functionsFrameworkModel } from "./functions-framework-model.ts";
import { packageSource } from "./package-source.ts";
import { registrySymbol, type Registration } from "./registry.ts";

type Http = (req: ExpressRequest, res: ExpressResponse) => unknown;

const registry = (): Registration[] =>
  ((globalThis as Record<symbol, unknown>)[Symbol.for(registrySymbol)] ??= []) as Registration[];
afterEach(() => void registry().splice(0));

const serve = (exports: ModuleExports, settings: TestSettings = {}) =>
  serveModel(functionsFrameworkModel, exports, settings);
const http = (fn: Http) => serve({ function: fn });

test.each<[string, Http, Partial<Answer>, Record<string, unknown>]>([
  [
    "text is HTML",
    (_req, res) => res.send("<b>"),
    { status: 200, text: "<b>" },
    { "content-type": "text/html; charset=utf-8", etag: undefined },
  ],
  [
    "an object is JSON",
    (_req, res) => res.status(201).send({ a: 1 }),
    { status: 201, text: '{"a":1}' },
    { "content-type": "application/json; charset=utf-8" },
  ],
  [
    "a status by itself is its name",
    (_req, res) => res.sendStatus(404),
    { status: 404, text: "Not Found" },
    { "content-type": "text/plain; charset=utf-8" },
  ],
  ["bytes", (_req, res) => res.send(Buffer.from("x")), { text: "x" }, { "content-type": "application/octet-stream" }],
  [
    "204 has no body",
    (_req, res) => res.status(204).send("gone"),
    { status: 204, text: "" },
    { "content-type": undefined },
  ],
  ["a redirect", (_req, res) => res.redirect(301, "/a b"), { status: 301 }, { location: "/a%20b" }],
  [
    "headers by object",
    (_req, res) => res.set({ "X-A": "1", "content-type": "text/csv" }).send("a"),
    {},
    { "x-a": "1", "content-type": "text/csv; charset=utf-8" },
  ],
  [
    "a cookie with everything",
    (_req, res) =>
      res
        .cookie("a", "b c", {
          maxAge: 1000,
          httpOnly: true,
          secure: true,
          sameSite: "lax",
          path: "/x",
          expires: new Date(0),
        })
        .end(),
    {},
    {
      "set-cookie": [
        expect.stringMatching(/^a=b%20c; Max-Age=1; Path=\/x; Expires=.*GMT; HttpOnly; Secure; SameSite=Lax$/),
      ],
    },
  ],
  [
    "a cleared cookie",
    (_req, res) => res.clearCookie("a").end(),
    {},
    { "set-cookie": ["a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] },
  ],
  [
    "an attachment",
    (_req, res) => res.attachment("a.txt").send("x"),
    {},
    { "content-disposition": 'attachment; filename="a.txt"' },
  ],
])("a response: %s", async (_case, fn, answer, headers) => {
  await using served = await http(fn);
  const given = await served.call();
  expect(given).toMatchObject(answer);
  for (const [name, value] of Object.entries(headers)) expect(given.headers[name], name).toEqual(value);
});

test("a request has what Express gives it", async () => {
  await using served = await http((req, res) =>
    res.json([
      [req.path, req.query, req.originalUrl, req.method],
      [req.get("X-A"), req.header("referrer"), req.hostname, req.protocol, req.ip, req.xhr],
      [req.is("json"), req.is("text/*"), req.accepts("html", "json"), req.accepts("png")],
      [req.body, req.rawBody?.toString()],
    ]),
  );
  const answer = await served.call({
    method: "PUT",
    path: "/a/b?x[y]=1&z=2&z=3",
    headers: {
      host: "fn.example:8080",
      "x-a": "1",
      referer: "http://r",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "9.9.9.9, 10.0.0.1",
      accept: "application/json, text/html;q=0.5",
      "content-type": "application/json; charset=utf-8",
    },
    body: '{"q": 1}',
  });
  expect(JSON.parse(answer.text)).toEqual([
    ["/a/b", { x: { y: "1" }, z: ["2", "3"] }, "/a/b?x[y]=1&z=2&z=3", "PUT"],
    ["1", "http://r", "fn.example", "https", "9.9.9.9", false],
    ["json", false, "json", false],
    [{ q: 1 }, '{"q": 1}'],
  ]);
});

test("what goes wrong: bad JSON is 400, a bad status or a throw 500 with the framework's header", async () => {
  await using served = await http((req, res) => res.status(req.path === "/bad" ? 1000 : 200).send("x"));
  const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{" };
  expect(await served.call(json)).toMatchObject({ status: 400, text: expect.stringMatching(/not JSON/) });
  const bad = await served.call({ path: "/bad" });
  expect([bad.status, bad.headers["x-google-status"]]).toEqual([500, "error"]);
  expect((await served.call({ path: "/favicon.ico" })).status).toBe(404);
});

test("the timeout answers 504 and fires the request's signal", async () => {
  let aborted = false;
  const fn: Http = (req) =>
    new Promise((resolve) =>
      req.abortController?.signal.addEventListener("abort", () => {
        aborted = true;
        resolve(undefined);
      }),
    );
  await using served = await serve({ function: fn }, { env: { CLOUD_RUN_TIMEOUT_SECONDS: "0.05" } });
  expect((await served.call()).status).toBe(504);
  expect(aborted).toBe(true);
});

test("typed functions take and give JSON", async () => {
  registry().push({
    name: "add",
    signature: "typed",
    fn: (({ a, b }: Record<string, number>) => ({ sum: (a ?? 0) + (b ?? 0) })) as never,
  });
  await using served = await serve({});
  const answer = await served.call({ method: "POST", body: '{"a":1,"b":2}' });
  expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([
    200,
    "application/json; charset=utf-8",
    '{"sum":3}',
  ]);
  expect((await served.call({ method: "POST", body: "{" })).status).toBe(400);
});

test("background functions get data and context from CloudEvents, their own form and Pub/Sub pushes", async () => {
  const seen: unknown[] = [];
  const fn = (data: unknown, context: unknown, done: (error?: unknown) => void): void => {
    seen.push([data, context]);
    done();
  };
  await using served = await serve({ hear: fn }, { target: "hear", signature: "event" });
  const json = { "content-type": "application/json" };
  const post = (body: unknown, path = "/") =>
    served.call({ method: "POST", path, headers: json, body: JSON.stringify(body) });
  await served.call({
    method: "POST",
    headers: {
      ...json,
      "ce-specversion": "1.0",
      "ce-id": "1",
      "ce-source": "//s",
      "ce-type": "t",
      "ce-subject": "x/y",
    },
    body: "7",
  });
  await post({ data: 8, context: { eventId: "2" } });
  const push = await post(
    { message: { data: "aGk=", messageId: "3", publishTime: "T" }, subscription: "s" },
    "/projects/p/topics/t?x",
  );
  expect(push.status).toBe(204);
  expect(seen).toEqual([
    [7, { eventId: "1", eventType: "t", resource: "//s/x/y" }],
    [8, { eventId: "2" }],
    [
      expect.objectContaining({ data: "aGk=", attributes: {} }),
      expect.objectContaining({
        eventId: "3",
        timestamp: "T",
        resource: expect.objectContaining({ name: "projects/p/topics/t" }),
      }),
    ],
  ]);
  expect((await post({ neither: 1 })).status).toBe(400);
  expect((await served.call()).status).toBe(405);
});

test("a callback function of an event may fail by it", async () => {
  const fn = (_event: unknown, done: (error?: unknown) => void): void => done(new Error("no"));
  await using served = await serve({ hear: fn }, { target: "hear", signature: "cloudevent" });
  const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t" };
  expect((await served.call({ method: "POST", headers })).status).toBe(500);
});

test.each<[string, ModuleExports, TestSettings, RegExp]>([
  [
    "an unknown target",
    { other: () => 0 },
    { target: "hello" },
    /there is no function "hello": the module exports other\. Register it/,
  ],
  ["no target and no function", {}, {}, /there is no function "function": the module exports nothing/],
  [
    "an unknown signature",
    { f: () => 0 },
    { target: "f", env: { FUNCTION_SIGNATURE_TYPE: "grpc" } },
    /no signature type "grpc": use http, cloudevent/,
  ],
])("%s is refused with what there is", async (_case, exports, settings, message) => {
  await expect(serve(exports, settings)).rejects.toThrow(message);
});

test("several registrations and no target are not guessed between; nested exports are found", async () => {
  const fn = ((_req: ExpressRequest, res: ExpressResponse) => res.send("nested")) as never;
  registry().push({ name: "a", signature: "http", fn }, { name: "b", signature: "http", fn });
  await expect(serve({})).rejects.toThrow('the module registers "a", "b": say which is meant');
  await using served = await serve({ api: { v1: fn } }, { env: { FUNCTION_TARGET: "api.v1" } });
  expect((await served.call()).text).toBe("nested");
});

test("the package that functions import is put in when they are bundled, from ES modules and CommonJS", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ebb-ff-"));
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(
      join(dir, "a.ts"),
      'import { http, type Request } from "@google-cloud/functions-framework"; http("esm", (req: Request) => req);',
    );
    await writeFile(
      join(dir, "b.js"),
      'const ff = require("@google-cloud/functions-framework"); ff.cloudEvent("cjs", () => 0);',
    );
    for (const entry of ["a.ts", "b.js"]) {
      const { code, map } = await bundleNode({ dir: dir, entry: entry, external: [] });
      const file = join(dir, `${entry}.mjs`);
      await writeFile(file, code);
      await import(pathToFileURL(file).href);
      expect(map).not.toContain("src/functions");
    }
    expect(registry().map(({ name, signature }) => [name, signature])).toEqual([
      ["esm", "http"],
      ["cjs", "cloudevent"],
    ]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("what is registered wrongly is said at once", async () => {
  const module: { readonly http: (name: unknown, fn: unknown) => void } = await import(
    `data:text/javascript,${encodeURIComponent(packageSource)}`
  );
  expect(() => module.http("1x", () => 0)).toThrow('"1x" is no name for a function');
  expect(() => module.http("x", 3)).toThrow('what is registered as "x" is no function');
});
