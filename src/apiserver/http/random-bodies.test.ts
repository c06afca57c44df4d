/** Bodies at random, right and wrong in their types, to every kind: the server answers for the client, never a 500. */
import { array, boolean, constantFrom, sample, type Arbitrary } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtinDefinitions } from "../../api/definitions.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import { arbitraryOf } from "../../api/meta/schema-arbitrary.fixture.ts";
import { startTestServer, type TestServer } from "../test-server.ts";

const seed = 20_26;
const perKind = 12;
const merge = { type: "application/merge-patch+json" };

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
});

const junk = constantFrom<unknown>(null, 1, "x", [], {}, true, [null], { a: null });

/** Puts something else in the place of about one value in ten. */
function spoil(value: unknown, random: () => unknown): unknown {
  const found = random();
  if (found !== undefined) return found;
  if (Array.isArray(value)) return value.map((item) => spoil(item, random));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, spoil(member, random)]));
}

function drawFrom(values: Arbitrary<unknown>, count: number): () => unknown {
  const drawn = sample(values, { seed, numRuns: count });
  const hit = sample(array(boolean(), { minLength: 3, maxLength: 3 }), { seed, numRuns: count });
  let at = 0;
  return () => {
    at = (at + 1) % count;
    return hit[at]?.every(Boolean) ? drawn[at] : undefined;
  };
}

describe.each(
  builtinDefinitions.map(
    (definition) => [`${apiVersionOf(definition.kind)} ${definition.kind.kind}`, definition] as const,
  ),
)("%s", (_, { kind, schema }) => {
  const base = kind.group === "" ? "/api/v1" : `/apis/${apiVersionOf(kind)}`;
  const path = kind.namespaced ? `${base}/namespaces/default/${kind.plural}` : `${base}/${kind.plural}`;

  test("answers every body", async () => {
    const random = drawFrom(junk, 997);
    const objects = sample(arbitraryOf(schema()), { seed, numRuns: perKind }) as Readonly<Record<string, unknown>>[];
    for (const [i, object] of [{}, ...objects].entries()) {
      const head = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: `r${i}` } };
      const spoilt = spoil(object, random) as object;
      const answers = [
        await t.ask("POST", path, { body: { ...object, ...head } }),
        await t.ask("POST", path, { body: { ...spoilt, ...head } }),
        await t.ask("PATCH", `${path}/r${i}`, { body: spoilt, ...merge }),
        await t.ask("PUT", `${path}/r${i}`, { body: { ...spoilt, ...head } }),
      ];
      for (const { status, json } of answers)
        expect(status, JSON.stringify([json["message"], object])).toBeLessThan(500);
    }
  });
});
