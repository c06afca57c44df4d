/** Many requests of every kind, many of them ending badly: nothing of them is kept. */
import { connect as connectHttp2 } from "node:http2";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { eventually, type Harness, RawClient, startHarness } from "./testing/router-harness.ts";

/** Heap in use after a full collection, bytes. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const last = "GET /last HTTP/1.1\r\nHost: app.test\r\n\r\n";
const chunked = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

async function wave(harness: Harness): Promise<void> {
  const clients = Array.from({ length: 20 }, () => new RawClient(harness.port));
  for (const client of clients) client.send((get + chunked).repeat(25) + last);
  await Promise.all(clients.map((client) => client.until("that was all")));
  for (const client of clients) client.send(`GET /hang HTTP/1.1\r\nHost: app.test\r\n\r\n`);
  await eventually(
    () => harness.router.pending(harness.revision).present === 20,
    () => `present ${harness.router.pending(harness.revision).present}`,
  );
  for (const client of clients) client.destroy();
  for (const bad of ["rubbish\r\n\r\n", "GET / HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n"]) {
    await new RawClient(harness.port).send(bad).toEnd();
  }
  const session = connectHttp2(`http://127.0.0.1:${harness.port}`);
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => {
      const stream = session.request({ ":authority": "app.test", ":path": i % 4 === 0 ? "/hang" : "/" });
      stream.on("error", () => undefined);
      stream.resume();
      if (i % 4 === 0) stream.on("response", () => stream.close(8));
      return new Promise((resolve) => stream.on("close", resolve));
    }),
  );
  await new Promise<void>((resolve) => session.close(resolve));
  await eventually(
    () => harness.router.pending(harness.revision).present === 0,
    () => `left ${JSON.stringify(harness.router.pending(harness.revision))}`,
  );
  harness.access.length = 0;
  harness.load.reports.length = 0;
}

test("memory is the same after many waves of requests as after a few", { timeout: 60_000 }, async () => {
  const harness = await startHarness();
  try {
    harness.ready(
      await harness.app((req, res) => {
        res.write("start ");
        if (req.url !== "/hang") req.resume().on("end", () => res.end(req.url === "/last" ? "that was all" : "end"));
      }),
    );
    // Code is compiled and connections linger for a while: the plateau comes after about ten waves.
    for (let i = 0; i < 10; i++) await wave(harness);
    const before = heapUsed();
    for (let i = 0; i < 10; i++) await wave(harness);
    const grownKiB = (heapUsed() - before) / 1024;
    // 10 waves are 11,000 requests: a single object kept of each, or one buffer of each connection, would be more.
    expect(grownKiB).toBeLessThan(1500);
  } finally {
    await harness.stop();
  }
});
