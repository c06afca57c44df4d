import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import type { Change } from "./entry.ts";
import { Store } from "./store.ts";

let directory: string;
let path: string;
let now = 0;
const open: Store[] = [];
let listenerErrors: unknown[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ebb-store-"));
  path = join(directory, "state.db");
  now = 1_000_000;
  listenerErrors = [];
});
afterEach(() => {
  for (const store of open.splice(0)) store.close();
  rmSync(directory, { recursive: true });
});

function openStore(at = path): Store {
  const onListenerError = (error: unknown): void => void listenerErrors.push(error);
  const store = Store.open({ path: at, fsync: false, now: () => now, freeze: true, onListenerError });
  open.push(store);
  return store;
}

function closeStore(store: Store): void {
  open.splice(open.indexOf(store), 1);
  store.close();
}

const put = (store: Store, key: string, value: string, resource = "/things"): Change | undefined =>
  store.commit([{ kind: "put", resource, key, object: { metadata: { name: key }, value } as never, managed: "" }])[0];
const drop = (store: Store, key: string): Change | undefined =>
  store.commit([{ kind: "delete", resource: "/things", key, object: { metadata: { name: key } }, managed: "" }])[0];
const valueOf = (store: Store, key: string): unknown =>
  (store.get("/things", key)?.object as { value?: unknown })?.value;

async function replayed(store: Store, after: number, upTo: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const change of store.replay("/things", after, upTo, 2))
    seen.push(
      `${change.revision} ${change.type} ${change.key}${change.previous ? ` was ${change.previous.revision}` : ""}`,
    );
  return seen;
}

describe("state", () => {
  test("is what it was after closing and opening, revisions included", () => {
    const first = openStore();
    put(first, "ns/a", "1");
    put(first, "ns/a", "2");
    put(first, "ns/b", "1");
    drop(first, "ns/b");
    closeStore(first);
    const again = openStore();
    expect(valueOf(again, "ns/a")).toBe("2");
    expect(again.get("/things", "ns/b")).toBeUndefined();
    expect(again.revision).toBe(4);
    expect(put(again, "ns/c", "1")?.revision).toBe(5);
  });

  test("never gives a revision out twice, even when the last row is compacted away", async () => {
    const first = openStore();
    put(first, "ns/a", "1");
    drop(first, "ns/a");
    first.compactTo(2);
    closeStore(first);
    expect(put(openStore(), "ns/b", "1")?.revision).toBe(3);
  });

  test("lists in the order of keys, namespaces first", () => {
    const store = openStore(":memory:");
    for (const key of ["b/a", "a-b/x", "a/z", "a/b"]) put(store, key, "");
    expect(store.list("/things").map(({ object }) => object.metadata.name)).toEqual(["a-b/x", "a/b", "a/z", "b/a"]);
    expect(store.list("/things", "a").map(({ object }) => object.metadata.name)).toEqual(["a/b", "a/z"]);
  });

  test("a commit of several writes is all or nothing, and published in order", () => {
    const store = openStore();
    const seen: number[] = [];
    store.subscribe("/things", ({ revision }) => void seen.push(revision));
    const circular: Record<string, unknown> = { metadata: { name: "x" } };
    circular["self"] = circular;
    const good = {
      kind: "put",
      resource: "/things",
      key: "ns/a",
      object: { metadata: { name: "a" } },
      managed: "",
    } as const;
    expect(() => store.commit([good, { ...good, key: "ns/x", object: circular as never }])).toThrow();
    expect(store.get("/things", "ns/a")).toBeUndefined();
    store.commit([good, { ...good, key: "ns/b" }]);
    expect(seen).toEqual([1, 2]);
  });
});

describe("listeners", () => {
  test("one that throws harms neither the write nor the others", () => {
    const store = openStore();
    const seen: string[] = [];
    store.subscribe("/things", () => {
      throw new Error("broken");
    });
    store.subscribe("/things", ({ key }) => void seen.push(key));
    expect(put(store, "ns/a", "1")?.revision).toBe(1);
    expect([seen, listenerErrors]).toEqual([["ns/a"], [new Error("broken")]]);
  });

  test("one that writes is refused: the others would hear of it too early", () => {
    const store = openStore();
    store.subscribe("/things", () => void put(store, "ns/b", "1"));
    put(store, "ns/a", "1");
    expect(listenerErrors).toMatchObject([{ message: expect.stringMatching(/must not write/) }]);
    expect(store.get("/things", "ns/b")).toBeUndefined();
    expect(put(store, "ns/c", "1")?.revision).toBe(2);
  });
});

describe("history", () => {
  test("replays what happened after a revision, with what was there before", async () => {
    const store = openStore();
    put(store, "ns/a", "1");
    put(store, "ns/a", "2");
    put(store, "ns/other", "1", "/others");
    put(store, "ns/b", "1");
    drop(store, "ns/a");
    expect(await replayed(store, 1, 5)).toEqual(["2 modified ns/a was 1", "4 added ns/b", "5 deleted ns/a was 2"]);
  });

  test("rebuilds a resource as it was", () => {
    const store = openStore();
    put(store, "ns/a", "1");
    put(store, "ns/b", "1");
    put(store, "ns/a", "2");
    drop(store, "ns/b");
    const at = (revision: number): unknown =>
      store.listAt("/things", revision)?.map(({ object }) => (object as { value?: unknown }).value);
    expect([at(1), at(2), at(3), at(4)]).toEqual([["1"], ["1", "1"], ["2", "1"], ["2"]]);
    expect(store.listAt("/things", 9)).toBeUndefined();
  });

  test("is kept for five minutes, then forgotten but for the current state", async () => {
    const store = openStore();
    put(store, "ns/a", "1");
    put(store, "ns/a", "2");
    await store.maintain();
    now += 4 * 60_000;
    put(store, "ns/a", "3");
    await store.maintain();
    expect(store.compacted).toBe(0);
    now += 61_000;
    await store.maintain();
    expect(store.compacted).toBe(2);
    expect(await replayed(store, 2, 3)).toEqual(["3 modified ns/a was 2"]);
    expect(store.listAt("/things", 1)).toBeUndefined();
    closeStore(store);
    expect(valueOf(openStore(), "ns/a")).toBe("3");
  });

  test("is forgotten too after the clock was set back", async () => {
    const store = openStore();
    put(store, "ns/a", "1");
    put(store, "ns/a", "2");
    await store.maintain();
    now -= 24 * 3600_000;
    await store.maintain();
    now += 5 * 60_000 + 1;
    await store.maintain();
    expect(store.compacted).toBe(2);
  });

  test("a replay that compaction overtakes says so", async () => {
    const store = openStore();
    for (let i = 0; i < 6; i += 1) put(store, "ns/a", String(i));
    const changes = store.replay("/things", 0, 6, 1);
    await changes.next();
    store.compactTo(5);
    let next = await changes.next();
    while (!next.done) next = await changes.next();
    expect(next.value).toBe(false);
  });

  test("a deletion before the restart is still seen by a watch that goes on after it", () => {
    const first = openStore();
    put(first, "ns/a", "1");
    drop(first, "ns/a");
    closeStore(first);
    expect(openStore().lastRevisionOf("/things")).toBe(2);
  });
});

describe("files that cannot be used", () => {
  test.each([
    ["no database at all", () => writeFileSync(path, "hello ".repeat(1000)), /is not a SQLite database/],
    [
      "a database of somebody else",
      () => {
        const db = new DatabaseSync(path);
        db.exec("CREATE TABLE mine (a)");
        db.close();
      },
      /not one that ebb made/,
    ],
    [
      "a format of another version",
      () => {
        closeStore(openStore());
        const db = new DatabaseSync(path);
        db.exec("PRAGMA user_version = 99");
        db.close();
      },
      /format 99, this ebb knows format 1/,
    ],
    [
      "a damaged file",
      () => {
        const store = openStore();
        for (let i = 0; i < 200; i += 1) put(store, `ns/${i}`, "x".repeat(500));
        closeStore(store);
        truncateSync(path, 3 * 4096);
      },
      /is damaged|malformed/,
    ],
  ])("%s is refused in plain words", (_name, spoil, words) => {
    spoil();
    expect(() => openStore()).toThrow(words);
    expect(() => openStore()).toThrow(path);
  });

  test("a directory that does not exist is named", () => {
    expect(() => openStore(join(directory, "none", "state.db"))).toThrow(/cannot be created or opened/);
  });

  test("a second opener is refused", () => {
    const store = openStore();
    put(store, "ns/a", "1");
    expect(() => openStore()).toThrow(/another process has it open/);
  });

  test("a torn last write is dropped, everything before it kept", () => {
    const first = openStore();
    for (let i = 0; i < 10; i += 1) put(first, `ns/${i}`, "x".repeat(500));
    const [file, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    closeStore(first);
    // As a power cut may leave it: the file of before, and a log whose last pages never arrived.
    const torn = join(directory, "torn.db");
    writeFileSync(torn, file);
    writeFileSync(`${torn}-wal`, wal.subarray(0, wal.length - 100));
    const store = openStore(torn);
    expect(store.dropped).toEqual({ damaged: 0 });
    expect(store.list("/things").length).toBe(9);
    expect(store.revision).toBe(9);
    expect(put(store, "ns/next", "1")?.revision).toBe(10);
  });
});

describe("a damaged end of the log", () => {
  const frame = 4096 + 24;

  /** The state of ten writes after a crash, its log changed by `spoil`. */
  function openSpoilt(spoil: (wal: Buffer) => Buffer): Store {
    const first = openStore();
    for (let i = 0; i < 10; i += 1) put(first, `ns/${i}`, "x".repeat(500));
    const [file, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    closeStore(first);
    const copy = join(directory, "copy.db");
    writeFileSync(copy, file);
    writeFileSync(`${copy}-wal`, spoil(wal));
    return openStore(copy);
  }

  test("none is found where none is", () => {
    const store = openSpoilt((wal) => wal);
    expect(store.dropped).toBeUndefined();
    expect(store.revision).toBe(10);
  });

  test.each([
    ["the last write", 1, 9],
    ["a write and those behind it", 4, 6],
  ])("%s: they are counted, the rest is kept, and so is the log as it was", (_what, fromEnd, kept) => {
    let found = Buffer.alloc(0);
    const store = openSpoilt((wal) => {
      const at = wal.length - fromEnd * frame + 500;
      wal.writeUInt8(wal.readUInt8(at) ^ 1, at);
      found = Buffer.from(wal);
      return wal;
    });
    const copy = join(directory, "copy.db-wal.damaged");
    expect(store.dropped).toEqual({ damaged: fromEnd, copy });
    expect(readFileSync(copy).equals(found)).toBe(true);
    // Versions that clients may have seen are not given out again, and watches from them start anew.
    expect(store.revision).toBe(kept + 1_000_000);
    expect(store.compacted).toBe(store.revision);
    expect(store.list("/things").map(({ object }) => object.metadata.name)).toEqual(
      Array.from({ length: kept }, (_, i) => `ns/${i}`),
    );
    expect(put(store, "ns/next", "1")?.revision).toBe(kept + 1_000_001);
    const at = join(directory, "copy.db");
    closeStore(store);
    const again = openStore(at);
    expect(again.dropped).toBeUndefined();
    expect(again.revision).toBe(kept + 1_000_001);
  });

  test("a log cut off in the middle of a write is no damage", () => {
    for (const bytes of [frame, frame + 10, frame + 4000, 3]) {
      const store = openSpoilt((wal) => wal.subarray(0, wal.length - bytes));
      expect(store.dropped?.damaged ?? 0).toBe(0);
      expect(store.revision).toBe(bytes <= frame ? 9 : 8);
      closeStore(store);
      rmSync(path);
    }
  });
});

test("the write-ahead log stays small under steady writing", () => {
  const store = openStore();
  for (let i = 0; i < 20_000; i += 1) put(store, `ns/${i % 10}`, "x".repeat(300));
  expect(statSync(`${path}-wal`).size).toBeLessThan(48 * 1024 * 1024);
});

test("a day of objects that come, change and go takes no more room than an hour", { timeout: 60_000 }, async () => {
  const store = openStore();
  const sizes: number[] = [];
  for (let halfMinute = 0; halfMinute < 2 * 60 * 24; halfMinute++) {
    now += 30_000;
    put(store, "ns/lease", String(halfMinute));
    put(store, `ns/job-${halfMinute}`, "x".repeat(2000));
    put(store, `ns/job-${halfMinute}`, "y".repeat(2000));
    if (halfMinute >= 3) drop(store, `ns/job-${halfMinute - 3}`);
    await store.maintain();
    if (halfMinute % 120 === 119) sizes.push(statSync(path).size + statSync(`${path}-wal`).size);
  }
  expect(store.count("/things")).toBe(4);
  expect(Math.max(...sizes)).toBeLessThanOrEqual((sizes[0] ?? 0) * 1.1);
  // Five minutes of history are left, of which each half minute has four writes.
  expect(store.revision - store.compacted).toBeLessThanOrEqual(4 * 11);
});

test("a full disk answers 507, stores nothing and works again when there is room", () => {
  const store = openStore();
  put(store, "ns/a", "1");
  const limit = store.limitPages(8);
  const grow = (): void => {
    for (let i = 0; i < 100; i += 1) put(store, `ns/big-${i}`, "x".repeat(3000));
  };
  expect(grow).toThrow(expect.objectContaining({ code: 507 }));
  expect(grow).toThrow(expect.toSatisfy(isApiError));
  const [before, count] = [store.revision, store.count("/things")];
  expect(() => put(store, "ns/more", "x".repeat(3000))).toThrow("the disk is full");
  expect([store.revision, store.count("/things")]).toEqual([before, count]);
  limit.lift();
  expect(put(store, "ns/more", "1")?.revision).toBe(before + 1);
});
