/** The proxy's failure table: what goes wrong on either side → what the client gets, what the log says, what is left. */
import { afterEach, describe, expect, test } from "vitest";
import { eventually, type Harness, RawClient, startHarness } from "./testing/router-harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function start(...args: Parameters<typeof startHarness>): Promise<Harness> {
  const harness = await startHarness(...args);
  stops.push(() => harness.stop());
  return harness;
}

const get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function client(harness: Harness, text: string): RawClient {
  const made = new RawClient(harness.port).send(text);
  stops.push(() => made.destroy());
  return made;
}

/** Nothing of the request is left in the router. */
async function settled(harness: Harness, outcome: string): Promise<void> {
  await eventually(
    () => harness.router.pending(harness.revision).present === 0 && harness.access.length > 0,
    () => `pending ${JSON.stringify(harness.router.pending(harness.revision))}`,
  );
  expect(harness.access.at(-1)?.outcome).toBe(outcome);
}

describe("the app", () => {
  const unrepeatable: Readonly<Record<string, string>> = {
    POST: post("ab"),
    "POST without a body": "POST / HTTP/1.1\r\nHost: app.test\r\n\r\n",
    DELETE: "DELETE / HTTP/1.1\r\nHost: app.test\r\n\r\n",
    "GET with a body": "GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab",
    "GET with an upgrade": "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
  };
  test.each(Object.entries(unrepeatable))("resets %s before its headers: 502, sent once", async (_name, text) => {
    const harness = await start();
    let requests = 0;
    const resets = async (id: string): Promise<void> =>
      harness.ready(
        await harness.rawApp((socket) =>
          socket.once("data", () => {
            requests++;
            socket.resetAndDestroy();
          }),
        ),
        id,
      );
    await resets("one");
    await resets("two");
    expect(await client(harness, text).until(/\n$/)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    await settled(harness, "app-reset");
    expect(requests).toBe(1);
  });

  test.each(["GET", "HEAD", "OPTIONS"])("resets %s before its headers: sent once more, then 502", async (method) => {
    const harness = await start();
    let requests = 0;
    harness.ready(
      await harness.rawApp((socket) =>
        socket.once("data", () => {
          requests++;
          socket.resetAndDestroy();
        }),
      ),
    );
    const text = `${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`;
    expect(await client(harness, text).until(/\n$/)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    await settled(harness, "app-reset");
    expect(requests).toBe(2);
  });

  test("dies with a GET: another instance gets it", async () => {
    const harness = await start();
    const dying = await harness.rawApp((socket) => socket.once("data", () => socket.destroy()));
    harness.ready(dying, "dying");
    harness.ready(await harness.app((_req, res) => res.end("alive")), "alive");
    for (let i = 0; i < 4; i++) await client(harness, get).until("alive");
    expect(harness.access.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok", "ok"]);
  });

  test("dies with a GET, alone: it waits for the successor", async () => {
    const harness = await start();
    const dying = await harness.rawApp((socket) =>
      socket.once("data", () => {
        socket.destroy();
        harness.event("gone", dying, "dying");
      }),
    );
    harness.ready(dying, "dying");
    const one = client(harness, get);
    await eventually(
      () => harness.router.pending(harness.revision).queued === 1,
      () => `pending ${JSON.stringify(harness.router.pending(harness.revision))}`,
    );
    harness.ready(await harness.app((_req, res) => res.end("successor")), "successor");
    await one.until("successor");
    await settled(harness, "ok");
  });

  test("has said something, if only an interim response: never sent again", async () => {
    const harness = await start();
    let requests = 0;
    harness.ready(
      await harness.rawApp((socket) =>
        socket.once("data", () => {
          requests++;
          socket.write("HTTP/1.1 103 Early Hints\r\n\r\n", () => socket.destroy());
        }),
      ),
    );
    await client(harness, get).until("502 Bad Gateway");
    expect(requests).toBe(1);
  });

  test("resets a kept connection when the next POST comes: 502, never sent twice", async () => {
    const harness = await start();
    let requests = 0;
    harness.ready(
      await harness.rawApp((socket) => {
        socket.on("data", () => {
          if (++requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
          else socket.destroy();
        });
      }),
    );
    const one = client(harness, get);
    await one.until("ok");
    one.send(post("ab"));
    await one.until("502 Bad Gateway");
    expect(requests).toBe(2);
    await settled(harness, "app-reset");
  });

  test("closes an idle connection: the next request takes a new one", async () => {
    const harness = await start();
    let connections = 0;
    harness.ready(
      await harness.rawApp((socket) => {
        connections++;
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      }),
    );
    for (let i = 0; i < 3; i++) await client(harness, get).until("ok");
    expect(connections).toBe(3);
    await settled(harness, "ok");
  });

  test("resets in the middle of a sized body: the client's connection breaks", async () => {
    const harness = await start();
    harness.ready(
      await harness.rawApp((socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", () => socket.destroy());
        }),
      ),
    );
    const one = client(harness, get);
    expect(await one.toEnd()).toMatch(/half$/);
    await settled(harness, "app-reset");
    expect(harness.access.at(-1)?.status).toBe(200);
  });

  test("resets in the middle of a chunked body: no last chunk is made up", async () => {
    const harness = await start();
    harness.ready(
      await harness.rawApp((socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", () => socket.destroy());
        }),
      ),
    );
    expect(await client(harness, get).toEnd()).toMatch(/half\r\n$/);
    await settled(harness, "app-reset");
  });

  const rubbish: Readonly<Record<string, string>> = {
    "not HTTP": "hello there\r\n\r\n",
    "a status that is none": "HTTP/1.1 99 Low\r\n\r\n",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "length and chunked": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a folded header": "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n",
    "a control character": "HTTP/1.1 200 OK\r\nX-A: b\0\r\n\r\n",
    "101 that nobody asked for": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
  };
  test.each(Object.entries(rubbish))("answers %s: 502", async (_name, text) => {
    const harness = await start();
    harness.ready(await harness.rawApp((socket) => socket.once("data", () => socket.write(text))));
    expect(await client(harness, get).until(/\n$/)).toMatch(/^HTTP\/1\.1 502 /);
    await settled(harness, "bad-response");
  });

  const bareLf: Readonly<Record<string, string>> = {
    "in its lines": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\nX-A:  b \nContent-Length: 2\n\nok",
    everywhere: "HTTP/1.0 200 OK\nContent-Type: text/plain\nX-A: b\nContent-Length: 2\n\nok",
    "at its end alone": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: 2\r\n\nok",
  };
  test.each(Object.entries(bareLf))("ends lines in LF alone %s: the client gets CRLF", async (_name, text) => {
    const harness = await start();
    harness.ready(await harness.rawApp((socket) => socket.on("data", () => socket.write(text))));
    const one = client(harness, get);
    for (let i = 0; i < 2; i++) {
      one.received = "";
      if (i > 0) one.send(get);
      const head = (await one.until(/\n\r?\nok$/)).split("ok")[0] ?? "";
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head.replaceAll("\r\n", "")).not.toContain("\n");
      expect(head).toMatch(/\r\nX-A: +b *\r\n/);
    }
  });

  test("says more than its response: the rest is not the next one's answer", async () => {
    const harness = await start();
    let connections = 0;
    harness.ready(
      await harness.rawApp((socket) => {
        connections++;
        socket.once("data", () =>
          socket.write(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
          ),
        );
      }),
    );
    const one = client(harness, get);
    await one.until("ok");
    one.send(get);
    await one.until(/ok[^]*ok/);
    expect(one.received).not.toContain("evil");
    expect(connections).toBe(2);
  });

  test("answers before the body has come: the answer arrives, and the connection can go on", async () => {
    const harness = await start();
    let connections = 0;
    harness.ready(
      await harness.rawApp((socket) => {
        connections++;
        socket.once("data", () => socket.write("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"));
      }),
    );
    const one = client(harness, "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n12345");
    await one.until("no");
    one.send(`67890${get}`);
    await one.until(/413[^]*413/);
    expect(connections).toBe(2);
  });

  test("is gone at connect and back a moment later: the request is served", async () => {
    const harness = await start();
    const gone = await startHarness();
    const address = await gone.rawApp(() => undefined);
    await gone.stop();
    harness.ready(address, "a");
    const one = client(harness, get);
    await eventually(
      () => harness.router.pending(harness.revision).present === 1,
      () => "not there",
    );
    harness.ready(await harness.app((_req, res) => res.end("second try")), "b");
    await one.until("second try");
    await settled(harness, "ok");
  });
});

describe("time-outs", () => {
  test("no response within timeoutSeconds: 504, and the app's connection ends", async () => {
    const harness = await start({ spec: { timeoutSeconds: 1 } });
    let closed = false;
    harness.ready(await harness.app((_req, res) => void res.on("close", () => (closed = true))));
    expect(await client(harness, get).until(/\n$/)).toMatch(/^HTTP\/1\.1 504 [^]*\r\n\r\nrequest timeout\n$/);
    await settled(harness, "timeout");
    await eventually(
      () => closed,
      () => "the app still works on it",
    );
  });

  test("no instance within timeoutSeconds: 504 with the activator's words", async () => {
    const harness = await start({ spec: { timeoutSeconds: 1 } });
    expect(await client(harness, get).until(/\n$/)).toMatch(/^HTTP\/1\.1 504 [^]*\r\n\r\nactivator request timeout\n$/);
    await settled(harness, "timeout");
    expect(harness.router.pending(harness.revision).queued).toBe(0);
  });

  test("no response start within responseStartTimeoutSeconds: 504", async () => {
    const harness = await start({ spec: { responseStartTimeoutSeconds: 1 } });
    harness.ready(await harness.app(() => undefined));
    expect(await client(harness, get).until(/\n$/)).toMatch(/^HTTP\/1\.1 504 /);
    await settled(harness, "timeout");
  });

  test("a response that started in time is not cut by the response start time-out", async () => {
    const harness = await start({ spec: { responseStartTimeoutSeconds: 1 } });
    harness.ready(
      await harness.app((_req, res) => {
        res.write("start ");
        setTimeout(() => res.end("end"), 1300);
      }),
    );
    await client(harness, get).until("end");
    await settled(harness, "ok");
  });

  test("a chunked response cut by the total time-out ends cleanly, and the log says why", async () => {
    const harness = await start({ spec: { timeoutSeconds: 1 } });
    harness.ready(await harness.app((_req, res) => void res.write("so far")));
    expect(await client(harness, get).toEnd()).toMatch(/so far\r\n0\r\n\r\n$/);
    await settled(harness, "timeout");
    expect(harness.access.at(-1)?.status).toBe(200);
  });

  test("a silent response is cut by idleTimeoutSeconds, a talking one is not", async () => {
    const harness = await start({ spec: { idleTimeoutSeconds: 2 } });
    harness.ready(
      await harness.app((req, res) => {
        res.write("x");
        if (req.url === "/silent") return;
        let left = 9;
        const timer = setInterval(() => {
          if (--left > 0) return void res.write("x");
          clearInterval(timer);
          res.end("end");
        }, 300);
      }),
    );
    const talking = client(harness, get);
    const silent = client(harness, "GET /silent HTTP/1.1\r\nHost: app.test\r\n\r\n");
    await silent.toEnd();
    await talking.until("end");
    await eventually(
      () => harness.access.length === 2,
      () => JSON.stringify(harness.access),
    );
    const outcomes = Object.fromEntries(harness.access.map(({ path, outcome }) => [path, outcome]));
    expect(outcomes).toEqual({ "/": "ok", "/silent": "idle-timeout" });
  });

  test("a request for a revision whose start is known to fail is not held for its whole time-out", async () => {
    const times = { now: Date.now() };
    const ticks: (() => void)[] = [];
    const harness = await start({
      deps: {
        clock: {
          nowMs: () => times.now,
          after: () => () => undefined,
          every: (ms, run) => {
            if (ms === 100) ticks.push(run);
            return () => undefined;
          },
        },
      },
    });
    harness.router.setStartFailure({ revision: harness.revision, reason: "exited with code 1" });
    const one = client(harness, get);
    await eventually(
      () => harness.router.pending(harness.revision).queued === 1,
      () => "not queued",
    );
    expect(harness.load.demands.length).toBe(1);
    times.now += 9_900;
    for (const tick of ticks) tick();
    expect(harness.router.pending(harness.revision).queued).toBe(1);
    times.now += 200;
    for (const tick of ticks) tick();
    expect(await one.until(/\n$/)).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 5\r\n[^]*exited with code 1\n$/);
  });

  test("a slow head gets 408, a slow body too, and an idle connection is closed without a word", async () => {
    const harness = await start({ options: { headMs: 500, bodyMs: 500, idleMs: 500 } });
    harness.ready(await harness.app((req) => void req.resume()));
    const head = client(harness, "GET / HTTP/1.1\r\nHo");
    const drip = setInterval(() => head.send("o"), 200);
    const body = client(harness, "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n123");
    const idle = client(harness, "");
    expect(await head.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    expect(await body.until(/\n$/)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await idle.toEnd()).toBe("");
  });
});

describe("the client", () => {
  test("leaves while its request waits: it leaves the queue", async () => {
    const harness = await start();
    const one = client(harness, get);
    await eventually(
      () => harness.router.pending(harness.revision).queued === 1,
      () => "not queued",
    );
    one.destroy();
    await settled(harness, "client-gone");
    expect(harness.router.pending(harness.revision).queued).toBe(0);
  });

  test("leaves before the response: the app is told at once", async () => {
    const harness = await start();
    let closed = false;
    let arrived = false;
    harness.ready(
      await harness.app((_req, res) => {
        arrived = true;
        res.on("close", () => (closed = true));
      }),
    );
    const one = client(harness, get);
    await eventually(
      () => arrived,
      () => "not at the app",
    );
    one.destroy();
    await eventually(
      () => closed,
      () => "the app still works on it",
    );
    await settled(harness, "client-gone");
  });

  test("leaves in the middle of its body: the app does not take it for a whole request", async () => {
    const harness = await start();
    let aborted = false;
    let arrived = false;
    harness.ready(
      await harness.app((req) => {
        arrived = true;
        req.on("error", () => (aborted = true)).resume();
      }),
    );
    const one = client(harness, "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n123");
    await eventually(
      () => arrived,
      () => "not at the app",
    );
    one.socket.end();
    await eventually(
      () => aborted,
      () => "the app still waits",
    );
    await settled(harness, "client-gone");
  });

  test("stops reading: the router holds the app back instead of keeping the response", async () => {
    const harness = await start();
    let written = 0;
    harness.ready(
      await harness.app((_req, res) => {
        const piece = Buffer.alloc(65_536);
        const more = (): void => {
          while (written < 400_000_000) {
            written += piece.length;
            if (!res.write(piece)) return void res.once("drain", more);
          }
          res.end();
        };
        more();
      }),
    );
    const one = client(harness, get);
    one.socket.pause();
    let before = -1;
    await eventually(
      () => {
        const still = written === before && written > 0;
        before = written;
        return still;
      },
      () => `written ${written}`,
    ).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(40_000_000);
    one.destroy();
    await settled(harness, "client-gone");
  });
});

describe("limits", () => {
  test("a body over the limit gets 413, sized or chunked", async () => {
    const harness = await start({ options: { bodyBytes: 10 } });
    harness.ready(await harness.app((req, res) => req.resume().on("end", () => res.end("ok"))));
    expect(await client(harness, post("12345678901")).toEnd()).toMatch(/^HTTP\/1\.1 413 /);
    const chunked = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await client(harness, `${chunked}b\r\n12345678901\r\n0\r\n\r\n`).until(/\n$/)).toMatch(/^HTTP\/1\.1 413 /);
    await client(harness, `${chunked}5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n`).until("ok");
  });

  test("a long request line gets 414, a long head or too many lines 431", async () => {
    const harness = await start({ options: { headBytes: 2000, lineBytes: 500, headers: 10 } });
    expect(await client(harness, `GET /${"a".repeat(600)} HTTP/1.1\r\nHost: x\r\n\r\n`).toEnd()).toMatch(/ 414 /);
    expect(await client(harness, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(3000)}\r\n\r\n`).toEnd()).toMatch(
      / 431 /,
    );
    expect(await client(harness, `GET / HTTP/1.1\r\nHost: x\r\n${"X: 1\r\n".repeat(11)}\r\n`).toEnd()).toMatch(/ 431 /);
  });

  test("what is refused is in the access log, not mixed up with the request before", async () => {
    const harness = await start();
    harness.ready(await harness.app((_req, res) => res.end("ok")));
    const one = client(harness, get);
    await one.until("ok");
    one.send("rubbish\r\n\r\n");
    await one.toEnd();
    expect(harness.access.map(({ status, outcome, host }) => [status, outcome, host])).toEqual([
      [200, "ok", "app.test"],
      [400, "refused", ""],
    ]);
  });

  test("probes are answered here, for hosts that have a route, and are not load", async () => {
    const harness = await start();
    const probe = client(harness, "GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: queue\r\n\r\n");
    expect(await probe.until(/\r\n\r\nqueue$/)).toMatch(/^HTTP\/1\.1 200 /);
    const kubelet = client(harness, "GET / HTTP/1.1\r\nHost: app.test\r\nUser-Agent: kube-probe/1.36\r\n\r\n");
    expect(await kubelet.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(harness.load.reports).toEqual([]);
  });
});
