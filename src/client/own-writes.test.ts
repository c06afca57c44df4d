import { expect, test } from "vitest";
import { ConfigMapKind } from "../api/core/kinds.ts";
import type { ConfigMap } from "../api/core/types.gen.ts";
import type { Client } from "./client.ts";
import type { Informers } from "./informer.ts";
import { ObjectCache } from "./object-cache.ts";
import { createOwnWrites } from "./own-writes.ts";

const makeMap = (resourceVersion: string, uid = "u"): ConfigMap => ({
  metadata: { name: "m", namespace: "n", uid, resourceVersion },
});

/** Informers over a cache that the test fills, and a server that answers with what the test says. */
function start() {
  let nowMs = 0;
  let answer = makeMap("1");
  const cache = new ObjectCache<ConfigMap>((error) => {
    throw error;
  });
  const informers = { of: () => cache, synced: async () => undefined } as unknown as Informers;
  const server = {
    create: async (_kind: unknown, object: ConfigMap) =>
      object.metadata.resourceVersion === undefined
        ? { metadata: { ...object.metadata, uid: object.metadata.name, resourceVersion: "1" } }
        : answer,
    update: async () => answer,
    patch: async () => answer,
    delete: async () => answer,
  } as unknown as Client;
  const own = createOwnWrites(informers, { now: () => nowMs });
  const client = own.remember(server);
  const informer = own.informers.of(ConfigMapKind);
  return {
    cache,
    client,
    own,
    seen: () => informer.get("n/m")?.metadata.resourceVersion,
    write: async (version: string, uid?: string) => {
      answer = makeMap(version, uid);
      await client.update(ConfigMapKind, answer);
    },
    pass: (ms: number) => void (nowMs += ms),
  };
}

test("what was written is read at once, and given up for what the watch brings", async () => {
  const { cache, seen, write } = start();
  cache.put(makeMap("8"));
  await write("10");
  expect(seen()).toBe("10");
  cache.put(makeMap("9"));
  expect(seen()).toBe("10");
  cache.put(makeMap("11"));
  expect(seen()).toBe("11");
});

test("a watch that was faster than the answer is not undone", async () => {
  const { cache, seen, write } = start();
  cache.put(makeMap("100"));
  await write("99");
  expect(seen()).toBe("100");
});

test("what was made and deleted is gone, by whomever", async () => {
  const { cache, client, seen, write } = start();
  await client.create(ConfigMapKind, makeMap("1"));
  expect(seen()).toBe("1");
  await client.delete(ConfigMapKind, { namespace: "n", name: "m" });
  expect(seen()).toBeUndefined();
  cache.put(makeMap("2"));
  await write("3");
  cache.remove(makeMap("4"));
  expect(seen()).toBeUndefined();
});

test("the end of a namesake before it is no end", async () => {
  const { cache, seen, write } = start();
  cache.put(makeMap("5", "old"));
  await write("7", "new");
  expect(seen()).toBe("7");
  cache.remove(makeMap("6", "old"));
  expect(seen()).toBe("7");
});

test("a write that no watch ever brings is forgotten", async () => {
  const { seen, write, pass } = start();
  await write("7");
  pass(9_999);
  expect(seen()).toBe("7");
  pass(1);
  expect(seen()).toBeUndefined();
});

test("what no watch brings and nobody asks for is not kept", async () => {
  const { client, own, pass } = start();
  for (let i = 0; i < 100; i++) {
    await client.create(ConfigMapKind, { metadata: { name: `m${i}` } });
    pass(1000);
  }
  expect(own.size).toBeLessThanOrEqual(10);
});

test("after the end nothing is remembered", async () => {
  const { own, seen, write } = start();
  await write("7");
  own.close();
  expect(seen()).toBeUndefined();
  await write("8");
  expect(seen()).toBeUndefined();
});
