import { afterEach, beforeEach, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { LeaseKind } from "../../src/api/coordination/kinds.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { LeadershipLost, runAsLeader } from "../../src/client/leader-election.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { silentLogger as log } from "../silent-logger.ts";

let clock: ManualClock;
let server: ApiServer;
beforeEach(() => {
  clock = new ManualClock();
  server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions }, { log, now: () => clock.now() });
});
afterEach(async () => {
  await server.close();
});

const lease = { namespace: "kube-system", name: "ebb" };
/** Candidates that lead now, in the order they began. */
let leading: string[] = [];
beforeEach(() => {
  leading = [];
});

function candidate(identity: string, client: Client = server.api): { stop: AbortController; done: Promise<unknown> } {
  const stop = new AbortController();
  const lead = async (signal: AbortSignal): Promise<void> => {
    leading.push(identity);
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    leading.splice(leading.indexOf(identity), 1);
  };
  const done = runAsLeader({ client, clock, log }, { lease, identity }, lead, stop.signal).catch(
    (error: unknown) => error,
  );
  return { stop, done };
}

test("one of two candidates leads, and the other takes over soon after the first stops", async () => {
  const [a, b] = [candidate("a"), candidate("b")];
  await clock.advance(10_000);
  expect(leading).toHaveLength(1);
  const [first] = leading;
  (first === "a" ? a : b).stop.abort();
  await clock.settle();
  expect(leading).toEqual([]);
  await clock.advance(4000);
  expect(leading).toEqual([first === "a" ? "b" : "a"]);
  const held = await server.api.get(LeaseKind, lease);
  expect(held.spec).toMatchObject({ holderIdentity: leading[0], leaseDurationSeconds: 15 });
  a.stop.abort();
  b.stop.abort();
  await Promise.all([a.done, b.done]);
  expect(clock.pending).toBe(0);
});

test("a leader that vanished is followed once its lease has run out, not before", async () => {
  let dead = false;
  const silent: Client = {
    ...server.api,
    get: async (kind, key) => (dead ? new Promise(() => undefined) : server.api.get(kind, key)),
    update: async (kind, object) => (dead ? new Promise(() => undefined) : server.api.update(kind, object)),
  };
  const a = candidate("a", silent);
  await clock.settle();
  const b = candidate("b");
  await clock.advance(4000);
  expect(leading).toEqual(["a"]);
  dead = true;
  await clock.advance(8000);
  expect(leading).toEqual(["a"]);
  // It stops by itself before anybody else may begin, which is at the moment the lease runs out: it was renewed after a
  // third of the 10 s, and the other saw that with its next try.
  await clock.advance(6900);
  expect(leading).toEqual([]);
  expect(await a.done).toBeInstanceOf(LeadershipLost);
  await clock.advance(200);
  expect(leading).toEqual(["b"]);
  b.stop.abort();
  await b.done;
});

test.each([
  ["ahead", 3_600_000],
  ["back", -3_600_000],
])("a clock set %s makes no second leader, and a vanished one is followed in time", async (_what, ms) => {
  let dead = false;
  const silent: Client = {
    ...server.api,
    get: async (kind, key) => (dead ? new Promise(() => undefined) : server.api.get(kind, key)),
    update: async (kind, object) => (dead ? new Promise(() => undefined) : server.api.update(kind, object)),
  };
  const a = candidate("a", silent);
  await clock.settle();
  const b = candidate("b");
  await clock.advance(3000);
  clock.jump(ms);
  await clock.advance(30_000);
  expect(leading).toEqual(["a"]);
  dead = true;
  clock.jump(-ms);
  await clock.advance(20_000);
  expect(await a.done).toBeInstanceOf(LeadershipLost);
  expect(leading).toEqual(["b"]);
  b.stop.abort();
  await b.done;
});

test("at no time do two of five candidates lead, whoever stops when", async () => {
  const running = new Map(["a", "b", "c", "d", "e"].map((name) => [name, candidate(name)]));
  let most = 0;
  for (let step = 0; step < 40 && running.size > 0; step++) {
    await clock.advance(1000);
    most = Math.max(most, leading.length);
    const [leader] = leading;
    if (step % 7 === 6 && leader !== undefined) {
      running.get(leader)?.stop.abort();
      running.delete(leader);
    }
  }
  expect(most).toBe(1);
  for (const { stop, done } of running.values()) {
    stop.abort();
    await done;
  }
});

test("work that ends by itself gives the lease back", async () => {
  await runAsLeader(
    { client: server.api, clock, log },
    { lease, identity: "a" },
    async () => undefined,
    AbortSignal.any([]),
  );
  expect((await server.api.get(LeaseKind, lease)).spec?.holderIdentity ?? "").toBe("");
});
