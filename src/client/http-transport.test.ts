import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "./clock.ts";
import { createTransport, type Transport, type TransportRequest } from "./http-transport.ts";

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

function open(port: number): Transport {
  const config = { server: `http://127.0.0.1:${port}`, insecureSkipTlsVerify: false, namespace: "default" };
  const transport = createTransport(config, { userAgent: "test", clock: systemClock });
  opened.push(() => transport.close());
  return transport;
}

const asking = (method: TransportRequest["method"]): TransportRequest => ({
  path: "/x",
  method,
  accept: "application/json",
  contentType: "application/json",
  isStream: false,
  ...(method === "GET" ? {} : { body: {} }),
});

const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";

/** A server that drops connections in place of the answers of this number, counted from 1. */
async function dropping(...drops: readonly number[]): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      for (const [, method = ""] of bytes.toString().matchAll(/^(GET|POST|PATCH|DELETE) /gm)) {
        seen.push(method);
        if (drops.includes(seen.length)) return void socket.destroy();
        socket.write(answer);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

test("what only reads is asked again when its connection is dropped", async () => {
  const { port, seen } = await dropping(2);
  const transport = open(port);
  for (let n = 0; n < 2; n++) expect(await (await transport.send(asking("GET"))).body.json()).toEqual({});
  expect(seen).toEqual(["GET", "GET", "GET"]);
});

test("what is dropped twice is not there, and the error says where", async () => {
  const { port } = await dropping(1, 2);
  await expect(open(port).send(asking("GET"))).rejects.toThrow(
    `cannot reach the API server at http://127.0.0.1:${port}`,
  );
});

test.each(["POST", "PATCH", "DELETE"] as const)("a %s that may have been taken is not sent again", async (method) => {
  const { port, seen } = await dropping(1);
  await expect(open(port).send(asking(method))).rejects.toThrow(/cannot reach the API server/);
  expect(seen).toEqual([method]);
});
