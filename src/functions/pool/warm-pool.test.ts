import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Logger } from "../../telemetry/logger.ts";
import type { HostExit, HostProcess, PreparedHost } from "./host-process.ts";
import { defaultPoolLimits, type PoolLimits } from "./pool-size.ts";
import { WarmPool } from "./warm-pool.ts";

interface FakeHost extends HostProcess {
  readonly up: () => void;
  readonly fail: () => void;
  readonly end: () => void;
}

function open(minIdle = 2, limits: Partial<PoolLimits> = {}) {
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
  const prepared: number[] = [];
  const crowd = { waits: false };
  const prepare = (): PreparedHost => {
    const pid = 1001 + prepared.length;
    prepared.push(pid);
    return { pid, exited: new Promise(() => undefined), begin: start };
  };
  const pool = new WarmPool(
    {
      start,
      prepare,
      mayFill: () => !crowd.waits,
      end: (host) => ended.push(host.pid),
      now: () => nowMs,
      log,
      after(ms, run) {
        const timer = { dueMs: nowMs + ms, run };
        timers.push(timer);
        return () => (timers = timers.filter((other) => other !== timer));
      },
    },
    { ...defaultPoolLimits, minIdle, minPrepared: 0, replenishAfterMs: 100, ...limits },
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
  return { pool, hosts, prepared, crowd, ended, warnings, advance, fill, settle };
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

test("nothing is filled while starts wait for their turn", async () => {
  const { pool, hosts, crowd, advance } = open();
  crowd.waits = true;
  pool.start();
  await advance(0);
  await advance(1_000);
  expect(hosts).toHaveLength(0);
  crowd.waits = false;
  await advance(100);
  expect(hosts).toHaveLength(1);
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

test("processes are prepared behind the hosts, one at a time, for the part of a burst that those do not cover", async () => {
  const { pool, hosts, prepared, ended, advance } = open(2, { maxIdle: 4, minPrepared: 1, maxPrepared: 5 });
  pool.start();
  await advance(0);
  expect([hosts.length, pool.prepared]).toEqual([1, 0]);
  for (const at of [0, 1]) {
    hosts[at]?.up();
    await advance(0);
  }
  await advance(10);
  expect([pool.waiting, pool.prepared]).toEqual([2, 1]);
  expect([pool.takePrepared()?.pid, pool.takePrepared()]).toEqual([1001, undefined]);
  for (let n = 0; n < 20; n++) pool.take();
  await advance(100);
  for (const at of [2, 3, 4, 5]) {
    expect(prepared).toHaveLength(1);
    hosts[at]?.up();
    await advance(0);
  }
  for (let n = 0; n < 10; n++) await advance(10);
  expect([pool.waiting, pool.prepared]).toEqual([4, 5]);
  for (let minutes = 0; minutes < 20; minutes++) await advance(60_000);
  expect([pool.waiting, pool.prepared]).toEqual([2, 1]);
  pool.close();
  expect(ended.filter((pid) => pid > 1000)).toHaveLength(5);
});
