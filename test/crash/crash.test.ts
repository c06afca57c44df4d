import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigMapKind } from "../../src/api/core/kinds.ts";
import type { ConfigMap } from "../../src/api/core/types.gen.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { isExpired } from "../../src/api/meta/errors.ts";
import type { Client } from "../../src/client/client.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { seededRandom } from "./seeded-random.ts";

const rounds = 50;
const seed = 20_260_101;

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => expect.unreachable(message),
  with: () => log,
  enabled: () => false,
};

/** What the writer was told is stored: value and revision per name; a deletion has no value. */
type Acknowledged = Map<string, { readonly value?: string; readonly revision: number }>;

/** Lets a writer work and kills it `delayMs` after its first acknowledged write; returns what it told. */
async function writeAndKill(dataDir: string, round: number, delayMs: number): Promise<string[]> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, "writer.ts"), dataDir, String(seed + round)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  let complaints = "";
  writer.stderr.on("data", (chunk) => (complaints += String(chunk)));
  writer.stdout.once("data", () => setTimeout(() => writer.kill("SIGKILL"), delayMs));
  writer.stdout.on("data", (chunk) => (told += String(chunk)));
  await new Promise((done) => void writer.once("close", done));
  expect(complaints.replace(/.*ExperimentalWarning.*|.*--trace-warnings.*/g, "").trim()).toBe("");
  return told
    .slice(0, told.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}

function note(acknowledged: Acknowledged, line: string): void {
  const [what, name = "", ...rest] = line.split(" ");
  const revision = Number(rest.at(-1));
  acknowledged.set(name, what === "put" ? { value: rest[0] ?? "", revision } : { revision });
}

/** One more write than was acknowledged may have happened: the last one, killed before it could be told. */
async function check(api: Client, acknowledged: Acknowledged): Promise<void> {
  const list = await api.list(ConfigMapKind, { namespace: "default" });
  const stored = new Map(list.items.map((item) => [item.metadata.name, item]));
  let untold = 0;
  for (const [name, { value, revision }] of acknowledged) {
    const object: ConfigMap | undefined = stored.get(name);
    const current = Number(object?.metadata.resourceVersion ?? 0);
    if (object && current > revision) untold += 1;
    else if (value === undefined) expect(object, `${name} was deleted`).toBeUndefined();
    else if (!object) untold += 1;
    else expect(object.data?.["value"]).toBe(value);
  }
  for (const { metadata, data } of list.items)
    if (data?.["value"] !== undefined)
      expect(`${metadata.name} ${data["value"].length}`).toBe(`${metadata.name} ${data["length"]}`);
  expect(untold, "writes that happened without being acknowledged").toBeLessThanOrEqual(1);
}

/** A watch from an acknowledged version tells of every acknowledged write after it, or is told to list again. */
async function checkResume(api: Client, told: readonly number[]): Promise<void> {
  const [from = 0, ...later] = told;
  const seen = new Set<number>();
  const list = await api.list(ConfigMapKind, { namespace: "default" });
  const newest = Math.max(...told, ...list.items.map(({ metadata }) => Number(metadata.resourceVersion)));
  const stop = new AbortController();
  const options = { namespace: "default", resourceVersion: String(from), signal: stop.signal };
  let last = from;
  try {
    if (newest > from)
      for await (const event of api.watch(ConfigMapKind, options)) {
        if (event.type === "BOOKMARK") continue;
        const revision = Number(event.object.metadata.resourceVersion);
        expect(revision).toBeGreaterThan(last);
        last = revision;
        seen.add(revision);
        if (revision >= newest) break;
      }
  } catch (error) {
    if (!isExpired(error)) throw error;
    return;
  } finally {
    stop.abort();
  }
  expect(later.filter((revision) => !seen.has(revision))).toEqual([]);
}

test(`nothing acknowledged is lost by kill -9, ${rounds} times`, { timeout: 180_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ebb-crash-"));
  const random = seededRandom(seed);
  const acknowledged: Acknowledged = new Map();
  let writes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const told = await writeAndKill(dataDir, round, Math.floor(random() * 60));
    expect(told.length).toBeGreaterThan(0);
    writes += told.length;
    told.forEach((line) => note(acknowledged, line));
    const server = createApiServer({ dataDir, definitions: builtinDefinitions }, { log, now: () => Date.now() });
    await check(server.api, acknowledged);
    await checkResume(
      server.api,
      told.map((line) => Number(line.split(" ").at(-1))),
    );
    // What happened untold is known from here on.
    acknowledged.clear();
    for (const { metadata, data } of (await server.api.list(ConfigMapKind, { namespace: "default" })).items)
      if (data?.["value"] !== undefined)
        acknowledged.set(metadata.name, { value: data["value"], revision: Number(metadata.resourceVersion) });
    await server.close();
  }
  expect(writes).toBeGreaterThan(rounds * 10);
  rmSync(dataDir, { recursive: true });
});
