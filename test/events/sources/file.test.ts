import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compilePattern } from "../../../src/events/sources/file/file-pattern.ts";
import { systemClock } from "../../../src/client/clock.ts";
import { openSqliteStore } from "../../../src/events/log/sqlite-store.ts";
import type { EventStore } from "../../../src/events/log/event-store.ts";
import { createSourceBench, until, type SourceBench } from "./source-bench.ts";

test.each<[string, string, boolean]>([
  ["*", "a.csv", true],
  ["*", "b/a.csv", false],
  ["*.csv", "a.csv", true],
  ["*.csv", "a_csv", false],
  ["in/*.json", "in/a.json", true],
  ["**/*.json", "a.json", true],
  ["**/*.json", "x/y/a.json", true],
  ["**", "x/y", true],
  ["a?", "ab", true],
  ["a+(b)", "a+(b)", true],
])("the pattern %s and the path %s", (pattern, path, matches) => {
  expect(compilePattern(pattern).matches(path)).toBe(matches);
});

describe("a FileSource", () => {
  let root = "";
  let folder = "";
  let store: EventStore;
  let bench: SourceBench;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "ebb-files-"));
    folder = join(root, "in");
    mkdirSync(folder);
    store = openSqliteStore({ path: join(root, "events.db") }, systemClock);
    bench = await createSourceBench({ documents: store, folders: [folder] });
  });
  afterEach(async () => {
    await bench.close();
    await store.close();
    rmSync(root, { recursive: true });
  });

  const open = async (settings: object = {}) => {
    const quick = { path: folder, settle: "20ms", interval: "100ms" };
    const spec = bench.spec("FileSource", { ...quick, ...settings });
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (state) => state?.connected === true || state?.trouble !== undefined,
      "state",
    );
    return spec;
  };
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );
  const what = (): string[] =>
    bench.received.map(({ headers }) =>
      `${headers["ce-type"]} ${headers["ce-subject"]}`.replace("dev.ebb.sources.file.", ""),
    );

  test("sends files that are there, appear, change and go", async () => {
    write("a.json", '{"n":1.0}');
    await open({ events: ["created", "modified", "deleted"] });
    const [first] = await got(1);
    expect(first).toMatchObject({
      body: '{"n":1.0}',
      headers: {
        "ce-type": "dev.ebb.sources.file.created",
        "ce-source": "/sources/filesource",
        "ce-subject": "a.json",
        "ce-filename": "a.json",
        "content-type": "application/json",
      },
    });
    write("b.bin", "x");
    await got(2);
    write("a.json", "{}  ");
    await got(3);
    rmSync(join(folder, "a.json"));
    await got(4);
    expect(what()).toEqual(["created a.json", "created b.bin", "modified a.json", "deleted a.json"]);
  });

  test("each file is one event, over restarts too; a sink that refuses gets it again", async () => {
    let refusals = 1;
    bench.answer = () => (refusals-- > 0 ? 500 : 204);
    write("a", "1");
    const spec = await open();
    await got(2);
    expect(new Set(bench.received.map(({ headers }) => headers["ce-id"])).size).toBe(1);
    await bench.runner.removeSource(spec.key, spec.uid);
    write("b", "2");
    await open();
    await got(3);
    await bench.runner.removeSource(spec.key, spec.uid);
    await open();
    write("c", "3");
    await got(4);
    expect(what().slice(2)).toEqual(["created b", "created c"]);
    // Forgotten with its source: another one under the same name begins anew.
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    await open();
    await got(7);
  });

  test("waits until a file stays as it is, and leaves alone what is hidden, elsewhere, or a link", async () => {
    await open({ settle: "400ms", pattern: "**/*.txt" });
    mkdirSync(join(folder, "sub"));
    write(".hidden.txt", "no");
    write("other.md", "no");
    symlinkSync("/etc/hostname", join(folder, "link.txt"));
    for (let n = 0; n < 5; n += 1) {
      write("growing.txt", "x".repeat(n + 1));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    write("moved", "whole");
    renameSync(join(folder, "moved"), join(folder, "sub", "moved.txt"));
    await got(2);
    expect(bench.received.map(({ body }) => body).toSorted()).toEqual(["whole", "xxxxx"]);
  });

  test("passes over what was there before, when told so", async () => {
    write("old", "1");
    await open({ existing: "skip" });
    write("new", "2");
    await got(1);
    expect(what()).toEqual(["created new"]);
  });

  test("removes what was delivered, when told so, and names what is too large", async () => {
    write("small", "1");
    write("large", "123456");
    await open({ afterDelivery: "delete", maxBytes: 5, pattern: "*" });
    await got(2);
    const large = bench.received.find(({ headers }) => headers["ce-subject"] === "large");
    expect(JSON.parse(large?.body ?? "")).toMatchObject({ path: join(folder, "large"), name: "large", size: 6 });
    expect(large?.headers["ce-filecontent"]).toBe("reference");
    await until(
      () => existsSync(join(folder, "small")) || existsSync(join(folder, "large")),
      (left) => !left,
      "empty folder",
    );
  });

  test("reads no folder but those it may", async () => {
    const spec = await open({ path: "/etc" });
    expect(bench.runner.sourceState(spec.key)?.trouble).toBe(
      `"/etc" is in none of the folders that ebb may read (ebb up --files ${folder})`,
    );
    // It has made nothing there that could be left.
    await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
    symlinkSync("/etc", join(folder, "etc"));
    await open({ path: join(folder, "etc") });
    expect(bench.runner.sourceState(spec.key)?.trouble).toMatch(/is in none of the folders/);
    await bench.runner.removeSource(spec.key, spec.uid);
    await open({ path: join(folder, "none") });
    expect(bench.runner.sourceState(spec.key)?.trouble).toMatch(/the folder ".*none" cannot be read: ENOENT/);
  });
});
