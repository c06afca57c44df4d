import dns from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveLocalhostNames } from "./localhost-names.ts";

const system = dns.lookup;
const server = createServer((request, response) => response.end(request.headers.host));
beforeAll(async () => {
  resolveLocalhostNames();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  dns.lookup = system;
  server.close();
});

test("fetch reaches a name below localhost, whatever the system's resolver knows", async () => {
  const host = `other.default.localhost:${(server.address() as AddressInfo).port}`;
  const answer = await fetch(`http://${host}/`, { headers: { connection: "close" } });
  expect(await answer.text()).toBe(host);
});

test("all forms of a lookup are answered, and other names are the system's", async () => {
  const lookup = promisify(dns.lookup);
  expect(await lookup("a.localhost")).toEqual({ address: "127.0.0.1", family: 4 });
  expect(await lookup("A.LOCALHOST.", 6)).toEqual({ address: "::1", family: 6 });
  expect(await lookup("a.localhost", { all: true })).toEqual([{ address: "127.0.0.1", family: 4 }]);
  expect(await lookup("127.0.0.1")).toEqual({ address: "127.0.0.1", family: 4 });
  await expect(lookup("nolocalhost.invalid")).rejects.toThrow("ENOTFOUND");
});
