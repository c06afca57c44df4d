/** Strategic merge patches against Go's own: `kubectl patch --local` merges without a server. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constantFrom, dictionary, record, sample, shuffledSubarray, uniqueArray, type Arbitrary } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { schemaOf } from "../../src/api/schemas.ts";
import { conformToGoTypes } from "../../src/apiserver/decode/go-types.ts";
import { strategicMergePatch } from "../../src/apiserver/patch/strategic-merge.ts";
import type { JsonObject } from "../../src/apiserver/schema/json-value.ts";
import { installedKubectls } from "./kubectl.ts";

const program = installedKubectls().at(-1);
const schema = schemaOf("core.v1.Pod");
const cases = 40;

const name = constantFrom("a", "b", "c", "d");
const value = constantFrom("1", "2");
const env = uniqueArray(record({ name: constantFrom("X", "Y", "Z"), value }), { selector: (item) => item.name });
const ports = uniqueArray(record({ containerPort: constantFrom(80, 81, 82), protocol: constantFrom("TCP", "UDP") }), {
  selector: (item) => item.containerPort,
});
const container = record({ name, image: value, env, ports, args: uniqueArray(value) }, { requiredKeys: ["name"] });
const byName = { selector: (item: { name: string }): string => item.name, minLength: 1, maxLength: 4 };
const finalizers = shuffledSubarray(["f/1", "f/2", "f/3"]);
const emptyDir = constantFrom<JsonObject>({ emptyDir: { medium: "Memory" } }, { secret: { secretName: "s" } });
const volumes = uniqueArray(record({ name: constantFrom("v", "w", "x"), source: emptyDir }), {
  selector: (item) => item.name,
}).map((list) => list.map(({ name: volume, source }) => ({ name: volume, ...source })));

const livePod = record({
  metadata: record({ labels: dictionary(name, value, { noNullPrototype: true }), finalizers }),
  spec: record({ containers: uniqueArray(container, byName), volumes }),
}).map((pod) => ({ apiVersion: "v1", kind: "Pod", ...pod, metadata: { name: "p", ...pod.metadata } }));

const patchedContainer = record({ item: container, deletes: constantFrom(true, false, false) }).map(
  ({ item, deletes }): JsonObject & { name: string } => (deletes ? { name: item.name, $patch: "delete" } : item),
);

interface PatchParts {
  readonly labels: Record<string, string | null>;
  readonly added: readonly string[];
  readonly deleted: readonly string[];
  readonly containers: readonly (JsonObject & { name: string })[];
  readonly ordered: boolean;
  readonly volumes: readonly JsonObject[];
  readonly retains: boolean;
}

const patchParts: Arbitrary<PatchParts> = record({
  labels: dictionary(name, constantFrom("3", null), { noNullPrototype: true }),
  added: shuffledSubarray(["f/1", "f/2", "f/4"]),
  deleted: shuffledSubarray(["f/2", "f/3"]),
  containers: uniqueArray(patchedContainer, byName),
  ordered: constantFrom(true, false),
  volumes,
  retains: constantFrom(true, false),
});

function patchOf(parts: PatchParts, liveNames: readonly string[]): JsonObject {
  const kept = parts.containers.filter((item) => item["$patch"] === undefined).map((item) => item.name);
  const rest = liveNames.filter((live) => !parts.containers.some((item) => item.name === live));
  const order = [...rest.slice(0, 1), ...kept, ...rest.slice(1, 2)].map((item) => ({ name: item }));
  // Adding and deleting the same value in one patch depends on the order of a Go map: nobody can test that.
  const deleted = parts.deleted.filter((item) => !parts.added.includes(item));
  return {
    metadata: {
      labels: parts.labels,
      finalizers: parts.added,
      ...(deleted.length > 0 ? { "$deleteFromPrimitiveList/finalizers": deleted } : {}),
    },
    spec: {
      containers: parts.containers,
      ...(parts.ordered && order.length > 0 ? { "$setElementOrder/containers": order } : {}),
      volumes: parts.volumes.map((item) => (parts.retains ? { ...item, $retainKeys: Object.keys(item) } : item)),
    },
  };
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "ebb-oracle-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function goMerge(live: JsonObject, patch: JsonObject): Promise<JsonObject> {
  const file = join(directory, "pod.json");
  writeFileSync(file, JSON.stringify(live));
  const args = ["patch", "--local", "-f", file, "--type=strategic", "-p", JSON.stringify(patch), "-o", "json"];
  return await new Promise((resolve, reject) => {
    execFile(program ?? "kubectl", args, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout) as JsonObject),
    );
  });
}

/** Without what is empty, and without the directives that Go's merge leaves behind in values it adds. */
function bare(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(bare);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input)
      .filter(([key, inner]) => !key.startsWith("$") && inner !== null)
      .map(([key, inner]) => [key, bare(inner)] as const)
      .filter(([, inner]) => typeof inner !== "object" || inner === null || Object.keys(inner).length > 0),
  );
}

test.skipIf(program === undefined)(
  `${cases} random patches come out as Go's strategic merge patch has them`,
  { timeout: 60_000 },
  async () => {
    const lives = sample(livePod, { numRuns: cases, seed: 20260102 });
    const parts = sample(patchParts, { numRuns: cases, seed: 20260103 });
    for (const [index, live] of lives.entries()) {
      const names = live.spec.containers.map((item) => item.name);
      const patch = patchOf(parts[index]!, names);
      const ours = strategicMergePatch(live as JsonObject, patch, schema);
      conformToGoTypes(ours, schema, { kind: "Pod", version: "v1" });
      const theirs = await goMerge(live as JsonObject, patch);
      expect(bare(ours), JSON.stringify({ live, patch })).toEqual(bare(theirs));
    }
  },
);
