/** Whatever a client sends, Knative's defaults and checks answer with a denial: a thrown error would be a 500. */
import { assert, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "../definitions.ts";
import type { WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { arbitraryOf } from "../meta/schema-arbitrary.fixture.ts";

const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now: 0, configMap: () => ({}) };
const knative = builtinDefinitions
  .filter(({ kind, conversion }) => kind.group.endsWith("knative.dev") && !conversion)
  .map((definition) => [`${definition.kind.group} ${definition.kind.kind}`, definition] as const);

describe.each(knative)("%s", (_, definition) => {
  const errorsOf = (given: object): number => {
    const metadata = { name: "x", namespace: "default", uid: "u" };
    const object = { ...structuredClone(given), metadata } as Mutable<KubeObject>;
    definition.applyDefaults?.(object, context);
    definition.prepare?.(object, undefined, context);
    return definition.validate?.(object as KubeObject, undefined, context)?.length ?? 0;
  };

  test("never fails on an object of the right types", () => {
    assert(
      property(arbitraryOf(definition.schema()), (given) => {
        errorsOf(given as object);
      }),
      { numRuns: 100 },
    );
  });

  test("says what is missing when there is nothing at all", () => {
    const mayBeEmpty = ["Route", "Broker", "Channel", "InMemoryChannel"].includes(definition.kind.kind);
    if (!mayBeEmpty) expect(errorsOf({})).toBeGreaterThan(0);
  });
});
