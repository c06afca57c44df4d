import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtinDefinitions } from "../../api/definitions.ts";
import { openApiHandler } from "./handler.ts";
import type { Published } from "./operations.ts";

const kinds: Published[] = builtinDefinitions.map((definition) => ({ definition, custom: false }));
const source = { version: 1, all: (): readonly Published[] => kinds };
let server: Server;
let base: string;

beforeAll(async () => {
  const handle = openApiHandler(source);
  server = createServer((request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    if (!handle(path, request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function indexOf(): Promise<Record<string, { serverRelativeURL: string }>> {
  const index = (await (await fetch(`${base}/openapi/v3`)).json()) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  return index.paths;
}

test("the index leads to documents that may be kept for ever", async () => {
  const url = (await indexOf())["apis/apps/v1"]?.serverRelativeURL ?? "";
  expect(url).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/);
  const response = await fetch(base + url);
  expect(response.headers.get("cache-control")).toBe("public, immutable");
  expect(response.headers.get("etag")).toBe(`"${url.split("hash=")[1]}"`);
  expect(await response.json()).toMatchObject({ openapi: "3.0.0" });
});

test("a document whose hash the client has answers 304; without a hash in the URL it is not kept", async () => {
  const first = await fetch(`${base}/openapi/v3/api/v1`);
  expect(first.headers.get("cache-control")).toBe("no-cache, private");
  const etag = first.headers.get("etag") ?? "";
  const again = await fetch(`${base}/openapi/v3/api/v1`, { headers: { "if-none-match": etag } });
  expect(again.status).toBe(304);
});

test("kinds that come and go change the index at once", async () => {
  const before = await indexOf();
  const gone = kinds.splice(0, kinds.length, ...kinds.filter(({ definition }) => definition.kind.group !== "apps"));
  source.version++;
  const after = await indexOf();
  kinds.splice(0, kinds.length, ...gone);
  source.version++;
  expect(Object.keys(before)).toContain("apis/apps/v1");
  expect(Object.keys(after)).not.toContain("apis/apps/v1");
  expect(await indexOf()).toEqual(before);
});

test("v2 comes as protobuf to those who ask for it and as JSON to others", async () => {
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const protobuf = await fetch(`${base}/openapi/v2`, { headers: { accept } });
  expect(protobuf.headers.get("content-type")).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  expect((await protobuf.arrayBuffer()).byteLength).toBeGreaterThan(100_000);
  const json = await fetch(`${base}/openapi/v2`);
  expect(await json.json()).toMatchObject({ swagger: "2.0" });
});

test("other paths are not its to answer", async () => {
  expect((await fetch(`${base}/openapi/v3/apis/none/v1`)).status).toBe(404);
  expect((await fetch(`${base}/api`)).status).toBe(404);
});
