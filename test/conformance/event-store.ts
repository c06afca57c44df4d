/** What every store of events must do. A file per store calls this with a way to open one, and to open it again. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type {
  EventStore,
  EventStream,
  LogRecord,
  SavedCursor,
  StreamLimits,
} from "../../src/events/log/event-store.ts";
import type { StoredEvent } from "../../src/events/wire/stored-event.ts";

export interface StoreUnderTest {
  open(): Promise<EventStore>;
  /** What a test left on disk. */
  clean(): Promise<void>;
  /** The clock the store goes by. */
  readonly clock: { now(): number; advance(ms: number): void | Promise<void> };
}

export const anEvent = (
  id: string,
  more: Partial<StoredEvent["attributes"]> = {},
  data = `{"n":"${id}"}`,
): StoredEvent => ({
  attributes: {
    specversion: "1.0",
    id,
    source: "/test",
    type: "t",
    datacontenttype: "application/json",
    ...more,
  } as StoredEvent["attributes"],
  data: Buffer.from(data),
  structured: false,
});

const name = "broker/default/orders";
const ids = (records: readonly LogRecord[]): unknown[] => records.map(({ event }) => event.attributes["id"]);
const append = (stream: EventStream, ...list: string[]): Promise<unknown> =>
  stream.append(list.map((id) => ({ event: anEvent(id) })));

async function readAll(stream: EventStream, after = 0): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (;;) {
    const page = await stream.read(all.at(-1)?.seq ?? after, 7);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

export function runEventStoreConformance(make: () => StoreUnderTest): void {
  let under: StoreUnderTest;
  let store: EventStore;
  const open = (limits: StreamLimits = {}): Promise<EventStream> => store.openStream(name, limits);
  const reopen = async (): Promise<EventStream> => {
    await store.close();
    store = await under.open();
    return open();
  };

  beforeEach(async () => {
    under = make();
    store = await under.open();
  });
  afterEach(async () => {
    await store.close();
    await under.clean();
  });

  test("events come back in order with all of their attributes and the very bytes of their data", async () => {
    const stream = await open();
    const odd: StoredEvent = {
      attributes: {
        specversion: "1.0",
        id: "ü %",
        source: "/s",
        type: "t",
        count: 7,
        flag: true,
        subject: 'a "b"\u00e9 c',
      },
      data: Buffer.from([0, 255, 10, 13]),
      structured: true,
    };
    const bare: StoredEvent = {
      attributes: { specversion: "1.0", id: "2", source: "/s", type: "t" },
      data: undefined,
      structured: false,
    };
    const number = anEvent("3", {}, "1.0");
    await stream.append([{ event: odd }, { event: bare }]);
    await stream.append([{ event: number }]);
    const hex = (event: StoredEvent): unknown => ({
      ...event,
      data: event.data && Buffer.from(event.data).toString("hex"),
    });
    const check = async (from: EventStream): Promise<void> => {
      const records = await readAll(from);
      expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(records.map(({ event }) => hex(event))).toEqual([odd, bare, number].map(hex));
    };
    await check(stream);
    await check(await reopen());
  });

  test("appends at once get numbers of their own, a batch those next to each other", async () => {
    const stream = await open();
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) => stream.append([{ event: anEvent(`${n}a`) }, { event: anEvent(`${n}b`) }])),
    );
    for (const [first, second] of results) expect(second?.seq).toBe((first?.seq ?? 0) + 1);
    expect(new Set(results.flat().map(({ seq }) => seq)).size).toBe(100);
    expect(stream.bounds()).toMatchObject({ first: 1, last: 100 });
    expect((await readAll(stream)).length).toBe(100);
  });

  test("what was appended is told, and read from memory or disk alike", async () => {
    const stream = await open();
    let told = 0;
    const stop = stream.onChange(() => (told += 1));
    await append(stream, "1", "2");
    await expect.poll(() => told).toBeGreaterThan(0);
    expect(stream.bounds().last).toBe(2);
    expect(stream.recent(2)?.event.attributes["id"]).toBe("2");
    expect(ids(await stream.read(1, 10))).toEqual(["2"]);
    stop();
    const before = told;
    await append(stream, "3");
    await readAll(stream);
    expect(told).toBe(before);
  });

  test("an event sent twice within the window is kept once, also by another process; one of another hop is another", async () => {
    let stream = await open();
    const send = (from: EventStream, more = {}): Promise<readonly { seq: number; duplicate: boolean }[]> =>
      from.append([{ event: anEvent("1", more), dedupe: true }]);
    expect(await send(stream)).toEqual([{ seq: 1, duplicate: false }]);
    expect(await send(stream)).toEqual([{ seq: 1, duplicate: true }]);
    expect(await Promise.all([send(stream, { source: "/b" }), send(stream, { source: "/b" })])).toEqual([
      [{ seq: 2, duplicate: false }],
      [{ seq: 2, duplicate: true }],
    ]);
    expect(await send(stream, { knativebrokerttl: 254 })).toEqual([{ seq: 3, duplicate: false }]);
    stream = await reopen();
    expect(await send(stream)).toEqual([{ seq: 1, duplicate: true }]);
    expect((await readAll(stream)).length).toBe(3);
  });

  test("numbers go on where they were, even when everything was trimmed", async () => {
    const stream = await open();
    await append(stream, "1", "2", "3");
    await store.openStream(name, { maxCount: 1 });
    await expect
      .poll(async () => {
        await under.clock.advance(1000);
        return stream.bounds().first;
      })
      .toBe(3);
    expect(ids(await readAll(stream))).toEqual(["3"]);
    const again = await reopen();
    await append(again, "4");
    expect((await readAll(again)).map(({ seq }) => seq).at(-1)).toBe(4);
  });

  test("a limit of size takes the oldest, no more of them than it has to, and one that is larger takes none", async () => {
    const stream = await open({ maxBytes: 200 * 1024 });
    for (let n = 1; n <= 40; n += 1)
      await stream.append([{ event: { ...anEvent(`${n}`), data: Buffer.alloc(10 * 1024) } }]);
    await expect
      .poll(
        async () => {
          await under.clock.advance(1000);
          const { bytes } = stream.bounds();
          return bytes > 180 * 1024 && bytes <= 200 * 1024;
        },
        { timeout: 5000 },
      )
      .toBe(true);
    const { first, last } = stream.bounds();
    expect(last).toBe(40);
    expect(ids(await readAll(stream))).toEqual(Array.from({ length: 41 - first }, (_, n) => `${first + n}`));
    await open({ maxBytes: 400 * 1024 });
    await append(stream, "41");
    await under.clock.advance(1000);
    expect((await readAll(stream))[0]?.seq).toBe(first);
  });

  test("a position in time and that of an id are found", async () => {
    const stream = await open();
    await append(stream, "1");
    await under.clock.advance(50);
    const between = under.clock.now() - 20;
    await append(stream, "2", "3");
    expect(await stream.seqBefore(between - 60_000)).toBe(0);
    expect(await stream.seqBefore(between)).toBe(1);
    expect(await stream.seqBefore(between + 1_000_000)).toBe(3);
    expect(await stream.seqOfId("2")).toBe(2);
    expect(await stream.seqOfId("none")).toBeUndefined();
  });

  test("a position is kept, the last one counts, and it goes when its consumer does", async () => {
    await open();
    const cursor = (position: number): SavedCursor => ({
      stream: name,
      position,
      pending: [{ seq: position - 1, attempts: 2, nextTryMs: 99 }],
    });
    expect(await store.readCursor("trigger/default/a")).toBeUndefined();
    store.saveCursor("trigger/default/a", cursor(5));
    store.saveCursor("trigger/default/a", cursor(6));
    store.saveCursor("trigger/default/b", cursor(9));
    expect(await store.readCursor("trigger/default/a")).toEqual(cursor(6));
    await store.flush();
    await reopen();
    expect(await store.readCursor("trigger/default/a")).toEqual(cursor(6));
    await store.removeCursor("trigger/default/a");
    expect(await store.readCursor("trigger/default/a")).toBeUndefined();
    expect(await store.readCursor("trigger/default/b")).toEqual(cursor(9));
  });

  test("dead letters are kept whole, listed by page, and forgotten one by one", async () => {
    await open();
    const letter = (seq: number) => ({
      consumer: "trigger/default/a",
      seq,
      event: anEvent(`${seq}`),
      timeMs: 1000 + seq,
      attempts: 3,
      reason: "no answer",
      status: 503,
    });
    for (const seq of [4, 2, 7]) await store.park(letter(seq));
    await reopen();
    expect(await store.parkedCount("trigger/default/a")).toBe(3);
    expect(await store.parkedCount("trigger/default/b")).toBe(0);
    const [first, ...rest] = await store.parked("trigger/default/a", { after: 0, limit: 2 });
    expect({ ...first, event: first?.event.attributes["id"] }).toEqual({ ...letter(2), event: "2" });
    expect(rest.map(({ seq }) => seq)).toEqual([4]);
    expect((await store.parked("trigger/default/a", { after: 4, limit: 9 })).map(({ seq }) => seq)).toEqual([7]);
    await store.unpark("trigger/default/a", 4);
    expect(await store.parkedCount("trigger/default/a")).toBe(2);
  });

  test("a document is kept until it expires, the last one counts", async () => {
    const soon = under.clock.now() + 60_000;
    expect(await store.getDocument("call/1")).toBeUndefined();
    await store.putDocument("call/1", { text: '{"ü":1}', data: undefined, expiresMs: soon });
    expect(await store.getDocument("call/1")).toEqual({ text: '{"ü":1}', data: undefined, expiresMs: soon });
    await store.putDocument("call/1", { text: "{}", data: Buffer.from([0, 255]), expiresMs: soon });
    await store.putDocument("call/2", { text: "{}", data: undefined, expiresMs: under.clock.now() - 1 });
    await reopen();
    const kept = await store.getDocument("call/1");
    expect([kept?.text, Buffer.from(kept?.data ?? []).toString("hex")]).toEqual(["{}", "00ff"]);
    expect(await store.getDocument("call/2")).toBeUndefined();
    await store.deleteDocument("call/1");
    expect(await store.getDocument("call/1")).toBeUndefined();
  });

  test("names of streams are told by how they begin", async () => {
    for (const one of ["calls/to/a", "calls/to/b", "broker/x/y"]) await store.openStream(one, {});
    await reopen();
    expect([...(await store.streamNames("calls/"))].sort()).toEqual(["calls/to/a", "calls/to/b"]);
  });

  test("a removed stream is empty when it is made again", async () => {
    const stream = await open();
    await append(stream, "1", "2");
    await store.removeStream(name);
    await store.removeStream(name);
    const again = await open();
    expect(again.bounds().last).toBe(0);
    await append(again, "3");
    expect((await readAll(again)).map(({ seq, event }) => [seq, event.attributes["id"]])).toEqual([[1, "3"]]);
  });

  test("a store that was closed takes nothing more and says so", async () => {
    const stream = await open();
    await store.close();
    await expect(append(stream, "1")).rejects.toMatchObject({ name: "StoreFailure", kind: "unavailable" });
    store = await under.open();
  });
}
