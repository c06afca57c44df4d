/** Instances on a machine that is gone: nothing refuses, nothing answers. */
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { knock, type Knock } from "./knock.ts";
import type { ReachedInstance } from "./machines.ts";
import type { RouterClock } from "./router-clock.ts";
import { systemClock } from "./router-clock.ts";
import { eventually, type Harness, RawClient, startHarness } from "./testing/router-harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab";

interface Machine {
  readonly harness: Harness;
  readonly reached: ReachedInstance[];
  /** Ports at which nobody answers. */
  readonly gone: Set<number>;
  readonly knocks: number[];
  send(text: string): RawClient;
}

/** Time goes fifty times as fast for what is not on the network. */
const fast: RouterClock = {
  nowMs: () => systemClock.nowMs() * 50,
  after: (ms, run) => systemClock.after(ms / 50, run),
  every: (ms, run) => systemClock.every(ms / 50, run),
};

async function start(options: Parameters<typeof startHarness>[0] = {}): Promise<Machine> {
  const gone = new Set<number>();
  const knocks: number[] = [];
  const reached: ReachedInstance[] = [];
  const knockAt: Knock = ({ port }) => {
    knocks.push(port);
    return Promise.resolve(!gone.has(port));
  };
  const harness = await startHarness({
    ...options,
    deps: { knock: knockAt, clock: fast, onReach: (one) => reached.push(one), ...options.deps },
  });
  stops.push(() => harness.stop());
  const send = (text: string): RawClient => {
    const made = new RawClient(harness.port).send(text);
    stops.push(() => made.destroy());
    return made;
  };
  return { harness, reached, gone, knocks, send };
}

const seen =
  ({ harness, reached, knocks }: Machine) =>
  (): string =>
    JSON.stringify({ pending: harness.router.pending(harness.revision), reached, knocks: knocks.length });

describe("an instance whose node does not answer", () => {
  test("loses a GET under way to another one, and gets no more", async () => {
    const machine = await start();
    const { harness, gone, reached, send } = machine;
    let swallowed = 0;
    const dark = await harness.rawApp((socket) => socket.on("data", () => swallowed++));
    harness.ready(dark, "a-dark");
    gone.add(dark.port);
    const first = send(get);
    await eventually(() => swallowed === 1, seen(machine));
    harness.ready(await harness.app((_req, res) => res.end("light")), "b-light");
    await first.until("light");
    expect(reached).toMatchObject([{ revision: "default/app", id: "a-dark", reachable: false }]);
    for (let n = 0; n < 5; n++) await send(post).until("light");
    expect(swallowed).toBe(1);
    expect(harness.router.pending(harness.revision)).toMatchObject({ instances: 1, present: 0 });
  });

  test("the only one: a GET waits for another, and demand is told with none ready", async () => {
    const machine = await start();
    const { harness, gone, send } = machine;
    const dark = await harness.rawApp(() => undefined);
    harness.ready(dark, "dark");
    gone.add(dark.port);
    const first = send(get);
    await eventually(() => harness.load.demands.length > 0, seen(machine));
    expect(harness.router.pending(harness.revision)).toMatchObject({ instances: 0, queued: 1 });
    harness.ready(await harness.app((_req, res) => res.end("successor")), "successor");
    await first.until("successor");
  });

  test("a POST is never sent again: it is answered if the node comes back in time", async () => {
    const machine = await start();
    const { harness, gone, reached, send } = machine;
    let answer = (): void => undefined;
    let requests = 0;
    const slow = await harness.app((_req, res) => {
      requests++;
      answer = () => res.end("late");
    });
    harness.ready(slow, "slow");
    gone.add(slow.port);
    const one = send(post);
    await eventually(() => reached.length === 1, seen(machine));
    gone.clear();
    await eventually(() => reached.length === 2, seen(machine));
    expect(reached[1]).toMatchObject({ id: "slow", reachable: true });
    answer();
    await one.until("late");
    expect(requests).toBe(1);
    expect(harness.router.pending(harness.revision).instances).toBe(1);
  });

  test("a POST gets 502 when the node stays away for ten seconds, not when its own time-out passes", async () => {
    const machine = await start({ spec: { timeoutSeconds: 600 } });
    const { harness, gone, send } = machine;
    const dark = await harness.rawApp(() => undefined);
    harness.ready(dark, "dark");
    gone.add(dark.port);
    const beganMs = fast.nowMs();
    const answer = await send(post).until(/\n$/);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain("the node of the instance does not answer any more");
    expect(fast.nowMs() - beganMs).toBeGreaterThan(10_000);
    expect(harness.access.at(-1)).toMatchObject({ outcome: "app-reset" });
    expect(harness.router.pending(harness.revision).present).toBe(0);
  });

  test("a response under way is cut when the node stays away", async () => {
    const machine = await start();
    const { harness, gone, send } = machine;
    const dark = await harness.rawApp((socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")),
    );
    harness.ready(dark, "dark");
    const one = send(get);
    await one.until("half");
    gone.add(dark.port);
    await eventually(() => harness.access.length > 0, seen(machine));
    expect(harness.access.at(-1)).toMatchObject({ status: 200, outcome: "app-reset" });
  });

  test("takes what else is on that node out of the choice", async () => {
    // A hard limit of 1: they are taken in order.
    const machine = await start({ spec: { containerConcurrency: 1 } });
    const { harness, gone, reached, send } = machine;
    const [one, two, three] = [
      await harness.rawApp(() => undefined),
      await harness.app((_req, res) => res.end("two")),
      await harness.app((_req, res) => res.end("three")),
    ];
    const ready = (address: typeof one, id: string, node: string): void =>
      harness.router.applyInstance({ type: "ready", revision: "default/app", id, address, protocol: "http1", node });
    gone.add(one.port).add(two.port);
    ready(one, "1", "node-a");
    ready(two, "2", "node-a");
    ready(three, "3", "node-b");
    const first = send(get);
    await eventually(() => reached.filter(({ reachable }) => !reachable).length === 2, seen(machine));
    expect(reached.map(({ id, node }) => `${id} on ${node}`).toSorted()).toEqual(["1 on node-a", "2 on node-a"]);
    await first.until(/two|three/);
    await send(get).until("three");
  });

  test("that ends is no longer told of, and its successor at the same address is asked anew", async () => {
    const machine = await start();
    const { harness, gone, reached, send } = machine;
    const dark = await harness.rawApp(() => undefined);
    harness.ready(dark, "dark");
    gone.add(dark.port);
    const one = send(get);
    await eventually(() => reached.length === 1, seen(machine));
    harness.event("gone", dark, "dark");
    await eventually(() => reached.length === 2, seen(machine));
    expect(reached[1]).toMatchObject({ id: "dark", reachable: true });
    harness.ready(await harness.app((_req, res) => res.end("successor")), "successor");
    await one.until("successor");
  });
});

describe("an instance that is slow", () => {
  test("is knocked at now and then, and left alone", async () => {
    const machine = await start();
    const { harness, reached, knocks, send } = machine;
    let answer = (): void => undefined;
    harness.ready(await harness.app((_req, res) => (answer = () => res.end("slow"))), "slow");
    const one = send(get);
    await eventually(() => knocks.length >= 3, seen(machine));
    answer();
    await one.until("slow");
    expect(reached).toEqual([]);
  });

  test("and quick enough is never knocked at", async () => {
    const { harness, knocks, send } = await start({ deps: { clock: systemClock } });
    harness.ready(await harness.app((_req, res) => res.end("quick")), "quick");
    for (let n = 0; n < 20; n++) await send(get).until("quick");
    expect(knocks).toEqual([]);
  });
});

describe("a knock", () => {
  test("is answered by who accepts, and by who refuses", async () => {
    const { harness } = await start();
    const app = await harness.app((_req, res) => res.end());
    expect(await knock(app, 1000)).toBe(true);
    const unused = await harness.rawApp(() => undefined);
    await harness.stop();
    await new Promise<void>((resolve) => connect(unused).once("error", () => resolve()));
    expect(await knock(unused, 1000)).toBe(true);
  });

  test("is not answered where no way leads", async () => {
    // To everybody: no connection can be made to that.
    expect(await knock({ host: "255.255.255.255", port: 80 }, 200)).toBe(false);
  });
});
