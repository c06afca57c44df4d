import { beforeEach, expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { ManualClock } from "../../client/manual-clock.ts";
import { KnownHosts, type HostRecord } from "./known-hosts.ts";

const pod = (uid: string): Pod =>
  ({ metadata: { name: `pod-${uid}`, namespace: "default", uid }, spec: { containers: [] } }) as unknown as Pod;
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => log, enabled: () => false };

let clock: ManualClock;
let record: HostRecord;
let writes: number;
let asked: string[];
let away: boolean;

beforeEach(() => {
  clock = new ManualClock();
  record = {};
  writes = 0;
  asked = [];
  away = false;
});

async function open(): Promise<KnownHosts> {
  const known = new KnownHosts({
    review: (token) => {
      asked.push(token);
      const [, podUid] = /^token of (.*)$/.exec(token) ?? [];
      if (token === "") return Promise.resolve(undefined);
      return Promise.resolve({ name: "u", groups: [], expiresAtMs: 0, ...(podUid === undefined ? {} : { podUid }) });
    },
    store: {
      read: () => Promise.resolve(record),
      write: (written) => {
        writes += 1;
        if (away) return Promise.reject(new Error("the API server is away"));
        record = written;
        return Promise.resolve();
      },
    },
    clock,
    log,
  });
  await known.open();
  return known;
}

const shown = (uid: string, fingerprint = `key of ${uid}`) => ({ fingerprint, token: `token of ${uid}` });

test("a pod is believed by its own token, once, and by its key from then on", async () => {
  const known = await open();
  await known.believe(pod("a"), true, shown("a"));
  await known.believe(pod("a"), false, { ...shown("a"), token: "" });
  expect(asked).toEqual(["token of a"]);
  await expect(known.believe(pod("a"), true, shown("a", "another key"))).rejects.toThrow(/not the host that it was/);
});

test.each<[string, { readonly fingerprint: string; readonly token: string }, RegExp]>([
  ["another pod's token", shown("b"), /no token of this pod/],
  ["a token that is bad", { fingerprint: "k", token: "" }, /no token of this pod/],
  ["a token of no pod", { fingerprint: "k", token: "a user's" }, /no token of this pod/],
])("what shows %s is not believed, and may not stay", async (_what, one, message) => {
  const known = await open();
  await expect(known.believe(pod("a"), true, one)).rejects.toThrow(message);
  await known.believe(pod("a"), true, shown("a"));
});

test("a pod that somebody else made is not believed by its token", async () => {
  const known = await open();
  await expect(known.believe(pod("a"), false, shown("a"))).rejects.toThrow(/nobody knows the key/);
  expect(asked).toEqual([]);
});

test("of two that come at once with one pod's token one is believed", async () => {
  const known = await open();
  const both = await Promise.allSettled([
    known.believe(pod("a"), true, shown("a", "one")),
    known.believe(pod("a"), true, shown("a", "two")),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("keys are written down together, again when that failed, and the next leader knows them", async () => {
  const known = await open();
  away = true;
  await known.believe(pod("a"), true, shown("a"));
  await known.believe(pod("b"), true, shown("b"));
  await clock.advance(1_000);
  expect(writes).toBe(1);
  away = false;
  await clock.advance(10_000);
  expect(record).toEqual({ a: "key of a", b: "key of b" });
  known.close();
  const next = await open();
  await next.believe(pod("a"), false, shown("a"));
  await expect(next.believe(pod("b"), false, shown("b", "another"))).rejects.toThrow(/not the host that it was/);
  expect(asked).toEqual(["token of a", "token of b"]);
});

test("pods that are gone are forgotten", async () => {
  const known = await open();
  for (const uid of ["a", "b", "c"]) await known.believe(pod(uid), true, shown(uid));
  known.forget("a");
  known.keep(new Set(["c", "d"]));
  await clock.advance(1_000);
  expect(record).toEqual({ c: "key of c" });
});
