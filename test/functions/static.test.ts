import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { detectSource } from "../../src/functions/build/detect.ts";
import { parseRange } from "../../src/functions/languages/static/byte-range.ts";
import { findFile } from "../../src/functions/languages/static/find-file.ts";
import { build, discard, writeFolder } from "./built-program.ts";

let dir: string;
let server: Server;
beforeAll(async () => {
  dir = await writeFolder({
    "index.html": "<h1>home",
    "about/index.html": "about",
    "plain.html": "plain",
    "404.html": "lost",
    "app-D3adB33f.js": "let x",
    "big.txt": "0123456789".repeat(20_000),
    "big.txt.gz": "pretends to be gzip",
    "big.txt.br": "br",
    ".env.local": "SECRET=1",
    ".well-known/security.txt": "mail us",
    "func.yaml": "name: site\n",
  });
  const { root } = await build(dir);
  const module: { default: Parameters<typeof createServer>[1] } = await import(
    pathToFileURL(join(root, "app/index.mjs")).href
  );
  server = createServer(module.default).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
});
afterAll(async () => {
  server.close();
  await discard(dir);
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function get(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, path, headers, method });
  sent.end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

test("files have their types, pages are found without their ending, folders with a slash", async () => {
  expect(await get("/")).toMatchObject({
    status: 200,
    body: "<h1>home",
    headers: { "content-type": "text/html; charset=utf-8" },
  });
  expect(await get("/plain?x=1")).toMatchObject({ status: 200, body: "plain" });
  expect(await get("/about?x=1")).toMatchObject({ status: 308, headers: { location: "/about/?x=1" } });
  expect(await get("/about/")).toMatchObject({ status: 200, body: "about" });
  expect(await get("/.well-known/security.txt")).toMatchObject({ body: "mail us" });
});

test.each([
  "/nothing",
  "/../package.json",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/.env.local",
  "/func.yaml",
  "/about/../../x",
  "/__proto__",
])("%s is the page for what is not there", async (path) => {
  expect(await get(path)).toMatchObject({ status: 404, body: "lost" });
});

test("a path that cannot be decoded is refused, and so are other methods", async () => {
  expect((await get("/%E0%A4%A")).status).toBe(400);
  expect(await get("/", {}, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
});

test("what has not changed is not sent again", async () => {
  const etag = String((await get("/")).headers["etag"]);
  expect(await get("/", { "if-none-match": `"x", W/${etag}` })).toMatchObject({ status: 304, body: "" });
  expect((await get("/", { "if-none-match": '"x"' })).status).toBe(200);
});

test("names made of contents may be kept for ever, others are asked for again", async () => {
  expect((await get("/app-D3adB33f.js")).headers["cache-control"]).toContain("immutable");
  expect((await get("/plain.html")).headers["cache-control"]).toContain("must-revalidate");
});

test("ranges, also of what is read from disk", async () => {
  expect(await get("/big.txt", { range: "bytes=10-14" })).toMatchObject({
    status: 206,
    body: "01234",
    headers: { "content-range": "bytes 10-14/200000", "content-length": "5" },
  });
  expect(await get("/big.txt", { range: "bytes=-3" })).toMatchObject({ status: 206, body: "789" });
  expect(await get("/big.txt", { range: "bytes=200000-" })).toMatchObject({
    status: 416,
    headers: { "content-range": "bytes */200000" },
  });
  expect((await get("/big.txt", { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
  expect(await get("/big.txt", {}, "HEAD")).toMatchObject({ body: "", headers: { "content-length": "200000" } });
});

test("a form that was compressed before is sent to who takes it", async () => {
  expect(await get("/big.txt", { "accept-encoding": "gzip, deflate" })).toMatchObject({
    body: "pretends to be gzip",
    headers: { "content-encoding": "gzip", "content-type": "text/plain; charset=utf-8", vary: "Accept-Encoding" },
  });
  expect((await get("/big.txt", { "accept-encoding": "gzip, br" })).body).toBe("br");
  expect((await get("/big.txt", { "accept-encoding": "gzip;q=0" })).headers["content-encoding"]).toBeUndefined();
});

test("a fallback answers for every path of an application, but not for files", () => {
  const index = { "index.html": [1, "a"], "x.js": [1, "b"] } as const;
  expect(findFile(index, "/deep/link", "index.html")).toEqual({ kind: "file", path: "index.html", status: 200 });
  expect(findFile(index, "/x.js", "index.html")).toMatchObject({ path: "x.js" });
  expect(findFile(index, "/deep/link", undefined)).toEqual({ kind: "none", status: 404 });
});

test.each([
  [undefined, 10, "whole"],
  ["bytes=0-0", 10, { first: 0, last: 0 }],
  ["bytes=5-", 10, { first: 5, last: 9 }],
  ["bytes=-20", 10, { first: 0, last: 9 }],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=5-2", 10, "whole"],
  ["bytes=0-1,3-4", 10, "whole"],
  ["lines=0-1", 10, "whole"],
])("Range: %s of %d bytes", (header, size, expected) => {
  expect(parseRange(header, size)).toEqual(expected);
});

test("a program in the same folder wins over its index.html", async () => {
  const both = await writeFolder({ "index.html": "", "server.js": "" });
  expect(await detectSource(both)).toMatchObject({ language: "node", entry: "server.js" });
  await discard(both);
});
