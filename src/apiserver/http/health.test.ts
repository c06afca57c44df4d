import { afterAll, beforeAll, expect, test } from "vitest";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startTestServer, type TestServer } from "../test-server.ts";
import { healthHandler } from "./health.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(() => t.close());

const ask = async (path: string, token?: string): Promise<readonly [number, string]> => {
  const { status, text } = await t.ask("GET", path, token === undefined ? {} : { token });
  return [status, text];
};

test.each([
  ["/healthz", "ok"],
  ["/livez/", "ok"],
  ["/readyz/ping", "ok"],
  ["/livez/etcd", "ok"],
  ["/readyz/shutdown", "ok"],
  ["/readyz?verbose", "[+]ping ok\n[+]etcd ok\n[+]shutdown ok\nreadyz check passed\n"],
  ["/livez?verbose", "[+]ping ok\n[+]etcd ok\nlivez check passed\n"],
  ["/readyz?verbose=true&exclude=etcd", "[+]ping ok\n[+]etcd excluded: ok\n[+]shutdown ok\nreadyz check passed\n"],
  [
    "/healthz?verbose&exclude=nothing",
    '[+]ping ok\n[+]etcd ok\nwarn: some health checks cannot be excluded: no matches for "nothing"\nhealthz check passed\n',
  ],
])("%s", async (path, text) => {
  expect(await ask(path)).toEqual([200, text]);
});

test("a check that does not exist is not found", async () => {
  expect((await ask("/readyz/tea"))[0]).toBe(404);
  expect((await ask("/livez/shutdown"))[0]).toBe(404);
});

test("anonymous may ask how it is, but not check by check", async () => {
  expect(await ask("/readyz", "none")).toEqual([200, "ok"]);
  expect((await ask("/readyz/etcd", "none"))[0]).toBe(403);
});

test("what is not well is named, by itself and in the whole", () => {
  const handler = healthHandler({
    live: [
      { name: "etcd", check: () => false },
      {
        name: "disk",
        check: () => {
          throw new Error("gone");
        },
      },
    ],
    ready: [],
  });
  const answer = (url: string): string => {
    let text = "";
    const response = { setHeader: () => undefined, end: (body: string) => (text = body), statusCode: 0 };
    const path = url.split("?")[0] ?? "";
    expect(handler(path, { url } as IncomingMessage, response as unknown as ServerResponse)).toBe(true);
    return `${response.statusCode} ${text}`;
  };
  expect(answer("/livez")).toBe(
    "500 [+]ping ok\n[-]etcd failed: reason withheld\n[-]disk failed: reason withheld\nlivez check failed\n",
  );
  expect(answer("/livez?exclude=etcd&exclude=disk")).toBe("200 ok");
  expect(answer("/livez/etcd")).toBe("500 internal server error: etcd is not well\n");
});
