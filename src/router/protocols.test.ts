/** Real clients and real apps of every protocol, through the router. */
import { request as httpRequest } from "node:http";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { InstanceAddress } from "./instance.ts";
import { eventually, type Harness, makeIngress, RawClient, startHarness } from "./testing/router-harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function start(...args: Parameters<typeof startHarness>): Promise<Harness> {
  const harness = await startHarness(...args);
  stops.push(() => harness.stop());
  return harness;
}

function http2Client(harness: Harness): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${harness.port}`);
  session.on("error", () => undefined);
  stops.push(() => session.destroy());
  return session;
}

interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

async function ask(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  send: { readonly body?: Buffer; readonly trailers?: Record<string, string> } = {},
): Promise<Http2Answer> {
  const stream = session.request(
    { ":authority": "app.test", ...headers },
    { endStream: send.body === undefined, waitForTrailers: send.trailers !== undefined },
  );
  let answer: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  let trailers: IncomingHttpHeaders = {};
  const pieces: Buffer[] = [];
  stream.on("response", (received) => (answer = received));
  stream.on("trailers", (received) => (trailers = received));
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("wantTrailers", () => stream.sendTrailers(send.trailers ?? {}));
  if (send.body !== undefined) stream.end(send.body);
  await new Promise((resolve, reject) => {
    stream.on("close", resolve);
    stream.on("error", reject);
  });
  return { status: answer[":status"] ?? 0, headers: answer, body: Buffer.concat(pieces), trailers };
}

const body = Buffer.alloc(300_000, "0123456789");

describe("an HTTP/2 client", () => {
  test("reaches an HTTP/1.1 app, with its body and the headers a proxy adds", async () => {
    const harness = await start();
    let seen: IncomingHttpHeaders = {};
    harness.ready(
      await harness.app((req, res) => {
        seen = req.headers;
        res.setHeader("x-app", "1");
        req.pipe(res);
      }),
    );
    const session = http2Client(harness);
    const answer = await ask(session, { ":path": "/up", ":method": "POST", "k-secret": "x", cookie: "a=b" }, { body });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers["x-app"]).toBe("1");
    expect(answer.headers.connection).toBeUndefined();
    expect(seen).toMatchObject({
      host: "app.test",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      cookie: "a=b",
    });
    expect(seen["k-secret"]).toBeUndefined();
    expect(seen["forwarded"]).toBe("for=127.0.0.1;host=app.test;proto=http");
  });

  test("gets many answers at once on one connection, and containerConcurrency counts streams", async () => {
    const harness = await start({ spec: { containerConcurrency: 3 } });
    let now = 0;
    let most = 0;
    harness.ready(
      await harness.app((req, res) => {
        most = Math.max(most, ++now);
        setTimeout(() => {
          now--;
          res.end(req.url);
        }, 2);
      }),
    );
    const session = http2Client(harness);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(session, { ":path": `/${i}` })));
    expect(answers.map((answer) => answer.body.toString())).toEqual(answers.map((_, i) => `/${i}`));
    expect(most).toBe(3);
  });

  test("that cancels its stream ends the request at the app", async () => {
    const harness = await start();
    let closed = false;
    harness.ready(
      await harness.app((_req, res) => {
        res.write("start");
        res.on("close", () => (closed = true));
      }),
    );
    const stream = http2Client(harness).request({ ":authority": "app.test", ":path": "/" });
    stream.on("error", () => undefined);
    await new Promise((resolve) => stream.once("data", resolve));
    stream.close(8);
    await eventually(
      () => closed,
      () => "the app still has its request",
    );
    expect(harness.router.pending(harness.revision).present).toBe(0);
  });

  test("gets 404 for an unknown host and 503 with Retry-After from a full queue", async () => {
    const harness = await start({ options: { queueLimit: 1 } });
    const session = http2Client(harness);
    expect((await ask(session, { ":authority": "nobody.test", ":path": "/" })).status).toBe(404);
    const waiting = session.request({ ":authority": "app.test", ":path": "/" });
    waiting.on("error", () => undefined);
    await eventually(
      () => harness.router.pending(harness.revision).queued === 1,
      () => "not queued",
    );
    const full = await ask(session, { ":path": "/" });
    expect(full.status).toBe(503);
    expect(full.headers["retry-after"]).toBe("1");
    waiting.close();
  });

  test("cannot smuggle a line into an HTTP/1.1 head through a wide character", async () => {
    const harness = await start();
    harness.ready(await harness.app((_req, res) => res.end("reached")));
    const session = http2Client(harness);
    // U+010D and U+010A written as latin1 would be CR and LF.
    const answer = await ask(session, { ":path": "/", "x-note": "a\u010d\u010aX-Evil: 1" }).catch(() => undefined);
    if (answer !== undefined && answer.status === 200) {
      expect(answer.body.toString()).toBe("reached");
      expect(harness.access.at(-1)?.status).toBe(200);
    } else expect(answer?.status ?? 400).toBe(400);
  });
});

describe("an h2c app (gRPC)", () => {
  async function grpcApp(harness: Harness, seen: { trailers?: IncomingHttpHeaders } = {}): Promise<InstanceAddress> {
    return harness.http2App((stream, headers) => {
      stream.on("trailers", (trailers) => (seen.trailers = trailers));
      stream.on("error", () => undefined);
      stream.respond(
        { ":status": 200, "content-type": String(headers["content-type"] ?? "text/plain"), "x-te": String(headers.te) },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "ok" }));
      stream.pipe(stream);
    });
  }

  test("exchanges messages and trailers with an HTTP/2 client", async () => {
    const harness = await start();
    const seen: { trailers?: IncomingHttpHeaders } = {};
    harness.ready(await grpcApp(harness, seen), "one", "h2c");
    const answer = await ask(
      http2Client(harness),
      { ":path": "/pkg.Service/Call", ":method": "POST", "content-type": "application/grpc", te: "trailers" },
      { body, trailers: { "x-checksum": "42" } },
    );
    expect(answer.status).toBe(200);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers["x-te"]).toBe("trailers");
    expect(answer.trailers["grpc-status"]).toBe("0");
    expect(seen.trailers?.["x-checksum"]).toBe("42");
  });

  test("answers with trailers only", async () => {
    const harness = await start();
    const address = await harness.http2App((stream) =>
      stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true }),
    );
    harness.ready(address, "one", "h2c");
    const answer = await ask(http2Client(harness), { ":path": "/x", ":method": "POST" }, { body: Buffer.from("x") });
    expect(answer.headers["grpc-status"]).toBe("12");
  });

  test("serves an HTTP/1.1 client: chunked both ways, trailers and 100-continue included", async () => {
    const harness = await start();
    const seen: { trailers?: IncomingHttpHeaders } = {};
    harness.ready(await grpcApp(harness, seen), "one", "h2c");
    const client = new RawClient(harness.port).send(
      "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nExpect: 100-continue\r\n\r\n",
    );
    await client.until("100 Continue");
    client.send("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 9\r\n\r\n");
    const text = await client.until(/0\r\n.*\r\n\r\n$/s);
    expect(text).toMatch(/HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/transfer-encoding: chunked/i);
    expect(text.replaceAll(/\r\n[0-9a-f]+\r\n/g, "")).toContain("hello world");
    expect(text).toMatch(/grpc-status: 0\r\n/);
    expect(seen.trailers?.["x-sum"]).toBe("9");
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await client.until(/200 OK[^]*200 OK/);
    client.destroy();
  });

  test("that refuses connections answers 502 after its retries", async () => {
    const harness = await startHarness();
    const address = await harness.rawApp(() => undefined);
    await harness.stop();
    const waits: number[] = [];
    const quick = await startHarness({
      deps: {
        clock: {
          nowMs: Date.now,
          after: (ms, run) => {
            if (ms < 5000) waits.push(ms);
            const timer = setTimeout(run, ms < 5000 ? 0 : ms);
            return () => clearTimeout(timer);
          },
          every: () => () => undefined,
        },
      },
    });
    stops.push(() => quick.stop());
    quick.ready(address, "one", "h2c");
    const client = new RawClient(quick.port).send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    expect(await client.until(/\r\n\r\n.+\n/)).toMatch(/^HTTP\/1\.1 502 /);
    expect(waits.length).toBe(14);
    expect(waits[1]! / waits[0]!).toBeCloseTo(1.4);
    client.destroy();
  });
});

describe("WebSocket", () => {
  test("messages pass both ways, count as one request for their life, and close codes arrive", async () => {
    const harness = await start();
    const server = new WebSocketServer({ noServer: true });
    stops.push(() => server.close());
    const address = await harness.app((_req, res) => res.end());
    harness.ready(address);
    const app = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    stops.push(() => app.close());
    await new Promise((resolve) => app.once("listening", resolve));
    app.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
    harness.event("gone", address);
    harness.ready({ host: "127.0.0.1", port: (app.address() as { port: number }).port }, "ws");
    const client = new WebSocket(`ws://127.0.0.1:${harness.port}/chat`, { headers: { Host: "app.test" } });
    stops.push(() => client.terminate());
    await new Promise((resolve, reject) => {
      client.once("open", resolve);
      client.once("error", reject);
    });
    for (const message of [Buffer.from("hi"), Buffer.alloc(1_000_000, 7)]) {
      client.send(message);
      const back = await new Promise<Buffer>((resolve) => client.once("message", (data: Buffer) => resolve(data)));
      expect(back.equals(message)).toBe(true);
    }
    expect(harness.router.pending(harness.revision).present).toBe(1);
    client.close(4001, "bye");
    const code = await new Promise((resolve) => client.once("close", resolve));
    expect(code).toBe(4001);
    await eventually(
      () => harness.router.pending(harness.revision).present === 0,
      () => "still in flight",
    );
    expect(harness.access.at(-1)).toMatchObject({ status: 101, outcome: "ok" });
  });

  test("an upgrade the app declines is an ordinary answer", async () => {
    const harness = await start();
    harness.ready(await harness.app((_req, res) => res.end("no")));
    const client = new RawClient(harness.port).send(
      "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
    );
    expect(await client.until("no")).toMatch(/^HTTP\/1\.1 200 /);
    client.destroy();
  });

  test("an upgraded connection is cut by the request's time-out", async () => {
    const harness = await start({ spec: { timeoutSeconds: 1 } });
    const address = await harness.rawApp((socket) =>
      socket.once("data", () =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nhello"),
      ),
    );
    harness.ready(address);
    const client = new RawClient(harness.port).send(
      "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n",
    );
    await client.until("hello");
    await client.toEnd();
    expect(harness.access.at(-1)).toMatchObject({ status: 101, outcome: "timeout" });
  });
});

describe("HTTP/1 shapes", () => {
  test("server-sent events arrive one by one", async () => {
    const harness = await start();
    let next: (() => void) | undefined;
    harness.ready(
      await harness.app((_req, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        let n = 0;
        next = () => res.write(`data: ${++n}\n\n`);
        next();
      }),
    );
    const client = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await client.until("data: 1");
    next?.();
    await client.until("data: 2");
    expect(client.received).not.toContain("data: 3");
    client.destroy();
  });

  test("pipelined requests are answered in order, also those refused by the router", async () => {
    const harness = await start();
    harness.ready(await harness.app((req, res) => setImmediate(() => res.end(`<${req.url}>`))));
    const one = (path: string, host = "app.test"): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const client = new RawClient(harness.port).send(one("/1") + one("/x", "nobody") + one("/2") + one("/3"));
    const text = await client.until("</3>");
    expect(text.match(/<\/\d>|404 Not/g)).toEqual(["</1>", "404 Not", "</2>", "</3>"]);
    client.destroy();
  });

  test("HEAD, 204 and 304 have no body, whatever their Content-Length says", async () => {
    const harness = await start();
    harness.ready(
      await harness.app((req, res) => {
        if (req.url === "/204") res.writeHead(204).end();
        else if (req.url === "/304") res.writeHead(304, { "content-length": "10" }).end();
        else res.writeHead(200, { "content-length": "10" }).end();
      }),
    );
    const client = new RawClient(harness.port);
    for (const [line, status] of [
      ["HEAD /", 200],
      ["GET /204", 204],
      ["GET /304", 304],
      ["HEAD /", 200],
    ] as const) {
      client.received = "";
      client.send(`${line} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      expect(await client.until(/\r\n\r\n$/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
    client.destroy();
  });

  test("an HTTP/1.0 client gets its body unframed and the end of the connection, or keep-alive when asked", async () => {
    const harness = await start();
    harness.ready(
      await harness.app((req, res) => {
        if (req.url === "/sized") res.setHeader("content-length", 2).end("ok");
        else {
          res.write("one ");
          res.end("two");
        }
      }),
    );
    const plain = new RawClient(harness.port).send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    expect((await plain.toEnd()).split("\r\n\r\n")[1]).toBe("one two");
    const kept = new RawClient(harness.port).send(
      "GET /sized HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n",
    );
    expect(await kept.until("ok")).toMatch(/Connection: keep-alive\r\n/);
    kept.destroy();
  });

  test("100 Continue comes from the app, and a refusal without it closes the connection", async () => {
    const harness = await start();
    const address = await harness.app((req, res) => req.pipe(res));
    harness.ready(address);
    const client = new RawClient(harness.port).send(
      "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    await client.until("100 Continue");
    client.send("hello");
    await client.until("hello");
    client.destroy();
    const refused = new RawClient(harness.port).send(
      "POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(await refused.toEnd()).toMatch(/404 Not Found[^]*Connection: close/);
  });

  test("chunked trailers pass through", async () => {
    const harness = await start();
    harness.ready(
      await harness.app((_req, res) => {
        res.writeHead(200, { trailer: "x-sum" });
        res.write("body");
        res.addTrailers({ "x-sum": "7" });
        res.end();
      }),
    );
    const client = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\n\r\n");
    expect(await client.until(/x-sum: 7\r\n\r\n$/)).toMatch(/^HTTP\/1\.1 200 /);
    client.destroy();
  });

  test("a body without length ends with the connection", async () => {
    const harness = await start();
    harness.ready(
      await harness.rawApp((socket) => socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall there is"))),
    );
    const client = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n\r\nall there is$/);
  });

  test("a client that half-closes after Connection: close still gets its answer", async () => {
    const harness = await start();
    harness.ready(await harness.app((_req, res) => setTimeout(() => res.end("late"), 20)));
    const client = new RawClient(harness.port).send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
    client.socket.end();
    expect(await client.toEnd()).toContain("late");
  });

  test("an absolute target names the host", async () => {
    const harness = await start();
    harness.ready(await harness.app((req, res) => res.end(`${req.headers.host} ${req.url}`)));
    const client = new RawClient(harness.port).send("GET http://app.test/a?b HTTP/1.1\r\nHost: other\r\n\r\n");
    await client.until("app.test /a?b");
    client.destroy();
  });

  test("a keep-alive agent uses one connection to the app for requests one after the other", async () => {
    const harness = await start();
    const ports = new Set<number | undefined>();
    harness.router.applyIngress("default/ip", makeIngress("127.0.0.1", { app: 100 }));
    harness.ready(
      await harness.app((req, res) => {
        ports.add(req.socket.remotePort);
        res.end("ok");
      }),
    );
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve, reject) => {
        httpRequest({ port: harness.port, host: "127.0.0.1" }, (res) => res.resume().on("end", resolve))
          .on("error", reject)
          .end();
      });
    }
    expect(ports.size).toBe(1);
  });
});
