import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Logger } from "../../telemetry/logger.ts";
import type { HostExit, HostProcess } from "./host-process.ts";
import { defaultPoolLimits } from "./pool-size.ts";
import { WarmPool } from "./warm-pool.ts";

interface FakeHost extends HostProcess {
  readonly up: () => void;
  readonly fail: () => void;
  readonly end: () => void;
}

function open(minIdle = 2) {
  const hosts: FakeHost[] = [];
  const ended: number[] = [];
  const warnings: string[] = [];
  let nowMs = 0;
  let timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => warnings.push(message),
    error: () => undefined,
    with: () => log,
    enabled: () => false,
  };
  const start = (): HostProcess => {
    const idle = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<HostExit>();
    const host: FakeHost = {
      pid: hosts.length + 1,
      startedAtMs: nowMs,
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      idle: idle.promise,
      exited: exited.promise,
      claim: () => Promise.resolve({ port: 1 }),
      up: idle.resolve,
      fail: () => idle.reject(new Error("no")),
      end: () => exited.resolve({ code: 1, signal: undefined }),
    };
    hosts.push(host);
    return host;
  };
  const pool = new WarmPool(
    {
      start,
      end: (host) => ended.push(host.pid),
      now: () => nowMs,
      log,
      after(ms, run) {
        const timer = { dueMs: nowMs + ms, run };
        timers.push(timer);
        return () => (timers = timers.filter((other) => other !== timer));
      },
    },
    { ...defaultPoolLimits, minIdle, replenishAfterMs: 100 },
  );
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const advance = async (ms: number): Promise<void> => {
    nowMs += ms;
    const due = timers.filter((timer) => timer.dueMs <= nowMs);
    timers = timers.filter((timer) => timer.dueMs > nowMs);
    for (const timer of due) timer.run();
    await settle();
  };
  const fill = async (): Promise<void> => {
    await advance(0);
    for (let at = 0; at < hosts.length; at++) {
      hosts[at]?.up();
      await settle();
    }
  };
  return { pool, hosts, ended, warnings, advance, fill, settle };
}

test("hosts are started one after the other until enough wait", async () => {
  const { pool, hosts, advance, settle } = open();
  pool.start();
  await advance(0);
  expect(hosts).toHaveLength(1);
  expect(pool.waiting).toBe(0);
  hosts[0]?.up();
  await settle();
  expect([hosts.length, pool.waiting]).toEqual([2, 1]);
  hosts[1]?.up();
  await settle();
  expect([hosts.length, pool.waiting]).toEqual([2, 2]);
});

test("a place is filled only when claims have been quiet for a while", async () => {
  const { pool, hosts, fill, advance } = open();
  pool.start();
  await fill();
  expect(pool.take()?.pid).toBe(1);
  await advance(60);
  expect(pool.take()?.pid).toBe(2);
  await advance(60);
  expect(hosts).toHaveLength(2);
  await advance(40);
  expect(hosts).toHaveLength(3);
  expect(pool.take()).toBeUndefined();
});

test("a host that dies while waiting is never given out, and replaced", async () => {
  const { pool, hosts, fill, advance, settle } = open();
  pool.start();
  await fill();
  hosts[0]?.end();
  await settle();
  expect(pool.waiting).toBe(1);
  await advance(100);
  expect(hosts).toHaveLength(3);
});

test("hosts that do not start are tried again ever more seldom", async () => {
  const { pool, hosts, warnings, advance, settle } = open(1);
  pool.start();
  await advance(0);
  hosts[0]?.fail();
  await settle();
  await advance(199);
  expect(hosts).toHaveLength(1);
  await advance(1);
  expect(hosts).toHaveLength(2);
  hosts[1]?.fail();
  await settle();
  await advance(399);
  expect(hosts).toHaveLength(2);
  expect(warnings).toHaveLength(2);
});

test("closing ends those that wait and the one that is starting", async () => {
  const { pool, hosts, ended, advance, settle } = open(3);
  pool.start();
  await advance(0);
  hosts[0]?.up();
  await settle();
  pool.close();
  expect(ended).toEqual([1, 2]);
  expect(pool.take()).toBeUndefined();
});

test("after a burst was forgotten the pool shrinks again", async () => {
  const { pool, hosts, ended, fill, advance } = open(2);
  pool.start();
  await fill();
  for (let n = 0; n < 6; n++) pool.take();
  await advance(100);
  for (let at = 2; at < 8; at++) {
    hosts[at]?.up();
    await advance(0);
  }
  expect(pool.waiting).toBe(6);
  for (let minutes = 0; minutes < 20; minutes++) await advance(60_000);
  expect(pool.waiting).toBe(2);
  expect(ended).toHaveLength(4);
});
