/** Another router in the place of an instance: what happens to a request when that router ends. */
import { afterEach, expect, test } from "vitest";
import type { Placement } from "./peers/membership.ts";
import type { PeerDoor, RouterPeers } from "./relays.ts";
import { eventually, type Harness, RawClient, startHarness } from "./testing/router-harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** The other routers as this one would know them; the test says what it knows. */
class KnownPeers implements RouterPeers {
  at: Placement = { at: "peer", id: "owner" };
  opens: PeerDoor | undefined;

  placement(): Placement {
    return this.at;
  }
  carriedOn(): number {
    return 0;
  }
  onCarriedLess(): void {}
  door(): PeerDoor | undefined {
    return this.opens;
  }
  admits(): boolean {
    return false;
  }
}

/** A router that passes the requests of its two instances' revision on to an owner that takes each and ends. */
async function besideDyingOwner(): Promise<{ harness: Harness; peers: KnownPeers; asked: () => number }> {
  const peers = new KnownPeers();
  const harness = await startHarness({ spec: { containerConcurrency: 5 }, deps: { peers } });
  stops.push(() => harness.stop());
  let asked = 0;
  const address = await harness.rawApp((socket) =>
    socket.once("data", () => {
      asked++;
      socket.resetAndDestroy();
    }),
  );
  peers.opens = { address, word: "word" };
  harness.ready(await harness.app((_req, res) => res.end("served")), "one");
  harness.ready(await harness.app((_req, res) => res.end("served")), "two");
  return { harness, peers, asked: () => asked };
}

function ask(harness: Harness, head: string): RawClient {
  const client = new RawClient(harness.port).send(`${head}\r\nHost: app.test\r\n\r\n`);
  stops.push(() => client.destroy());
  return client;
}

test("what is safe to repeat outlives a router that takes connections while it dies", async () => {
  const { harness, peers, asked } = await besideDyingOwner();
  const client = ask(harness, "GET / HTTP/1.1");
  await eventually(
    () => asked() >= 3,
    () => `asked ${asked()} times, answered ${JSON.stringify(client.received)}`,
  );
  peers.at = { at: "here" };
  harness.router.reconsider();
  expect(await client.until("served")).toMatch(/^HTTP\/1\.1 200 /);
});

test("what is not safe to repeat is sent to a router once", async () => {
  const { harness, asked } = await besideDyingOwner();
  expect(await ask(harness, "POST / HTTP/1.1").until(/\n$/)).toMatch(/^HTTP\/1\.1 502 /);
  expect(asked()).toBe(1);
});
