/** Whatever a client sends, defaults and checks answer with field errors: a thrown error would be a 500. */
import { assert, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "./definitions.ts";
import type { KindDefinition, WriteContext } from "./meta/definition.ts";
import { apiVersionOf } from "./meta/kind.ts";
import type { KubeObject, Mutable } from "./meta/object.ts";
import { minimalObject } from "./minimal-objects.fixture.ts";
import { arbitraryOf } from "./meta/schema-arbitrary.fixture.ts";

const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now: 0, configMap: () => ({}) };
const stored = builtinDefinitions
  .filter((definition) => !definition.conversion && definition.message !== undefined)
  .map((definition) => [`${apiVersionOf(definition.kind)} ${definition.kind.kind}`, definition] as const);

function written(definition: KindDefinition, given: object, old?: KubeObject): KubeObject {
  const object = { ...structuredClone(given), metadata: minimalObject(definition.kind.kind).metadata };
  definition.applyDefaults?.(object, context);
  definition.prepare?.(object, old, context);
  return object as KubeObject;
}

/** A random object, and the same laid over a good one, so that checks behind others are reached too. */
function variants(given: Fields, old: KubeObject): readonly object[] {
  const { spec } = old as { readonly spec?: object };
  return [given, { ...old, ...given, ...(given.spec ? { spec: { ...spec, ...given.spec } } : {}) }];
}

const statusOf = (object: KubeObject): object => ("status" in object ? { status: object.status } : {});

interface Fields {
  readonly spec?: object;
}

describe.each(stored)("%s", (_, definition) => {
  const objects = arbitraryOf(definition.schema()).map((value) => value as Fields);
  const old = written(definition, minimalObject(definition.kind.kind));

  test("accepts the least of its kind", () => {
    expect(definition.validate?.(old, undefined, context) ?? []).toEqual([]);
    expect(definition.validate?.(old, old, context) ?? []).toEqual([]);
  });

  test("never fails on an object of the right types", () => {
    assert(
      property(objects, (given) => {
        for (const variant of variants(given, old)) {
          const created = written(definition, variant);
          const updated = written(definition, variant, old);
          const errors = [
            ...(definition.validate?.(created, undefined, context) ?? []),
            ...(definition.validate?.(updated, old, context) ?? []),
            ...(definition.validateStatus?.({ ...old, ...statusOf(created) } as KubeObject, old) ?? []),
          ];
          for (const error of errors) expect(error.message).not.toMatch(/undefined|\[object/);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("fills the same defaults when it fills them again", () => {
    assert(
      property(objects, (given) => {
        const once = { ...structuredClone(given), metadata: { name: "x" } } as Mutable<KubeObject>;
        definition.applyDefaults?.(once, context);
        const twice = structuredClone(once);
        definition.applyDefaults?.(twice, context);
        expect(twice).toEqual(once);
      }),
      { numRuns: 40 },
    );
  });
});
