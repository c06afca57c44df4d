import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "./definitions.ts";
import type { KindDefinition, WriteContext } from "./meta/definition.ts";
import { apiVersionOf, groupResourceKey } from "./meta/kind.ts";
import type { KubeObject } from "./meta/object.ts";
import { minimalObject } from "./minimal-objects.fixture.ts";
import { messagesByName } from "./schemas.ts";

const nameOf = ({ kind }: KindDefinition): string => `${apiVersionOf(kind)} ${kind.kind}`;
const all = builtinDefinitions.map((definition) => [nameOf(definition), definition] as const);

const context: WriteContext = {
  operation: "create",
  user: { name: "tester", groups: [] },
  now: Date.UTC(2026, 0, 1),
  configMap: () => ({}),
};

test("every kind is defined once", () => {
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
});

describe.each(all)("%s", (_, definition) => {
  test("has a message and a schema", () => {
    // Knative's kinds only speak JSON, so they name no protobuf message.
    if (!definition.kind.group.endsWith("knative.dev"))
      expect(messagesByName.get(definition.message ?? "")?.name).toBe(definition.message);
    expect(definition.schema().type).toBe("object");
  });

  test("prints a name and stays calm when everything optional is missing", () => {
    if (definition.conversion) return;
    const object = minimalObject(definition.kind.kind);
    definition.applyDefaults?.(object, context);
    definition.prepare?.(object, undefined, context);
    const cells = definition.columns.map((column) => column.cell(object as KubeObject, context.now));
    expect(cells).toContain(object.metadata.name);
    for (const cell of cells) if (cell !== null) expect(["string", "number", "boolean"]).toContain(typeof cell);
    for (const read of Object.values(definition.selectableFields ?? {}))
      expect(typeof read(object as KubeObject)).toBe("string");
  });

  test("keeps its objects under a kind that is stored", () => {
    const stored = definition.conversion?.storedAs ?? definition.kind;
    const home = builtinDefinitions.find((other) => groupResourceKey(other.kind) === groupResourceKey(stored));
    expect(home?.conversion).toBeUndefined();
  });
});
