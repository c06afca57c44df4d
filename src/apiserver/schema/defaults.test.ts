import { expect, test } from "vitest";
import type { Schema } from "../../api/meta/schema.ts";
import { applySchemaDefaults } from "./defaults.ts";

const schema: Schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        replicas: { type: "integer", default: 1 },
        note: { type: "string", nullable: true, default: "x" },
        plain: { type: "string" },
        optional: { type: "object", properties: { mode: { type: "string", default: "auto" } } },
        made: { type: "object", default: {}, properties: { mode: { type: "string", default: "auto" } } },
        list: { type: "array", items: { type: "object", properties: { port: { type: "integer", default: 80 } } } },
        map: {
          type: "object",
          additionalProperties: { type: "object", properties: { on: { type: "boolean", default: true } } },
        },
      },
    },
  },
};

function defaulted(object: Record<string, unknown>): Record<string, unknown> {
  applySchemaDefaults(object, schema);
  return object;
}

test("defaults are filled where the parent exists, in lists and maps too", () => {
  expect(defaulted({ spec: { list: [{}, { port: 1 }], map: { a: {} } } })).toEqual({
    spec: {
      replicas: 1,
      note: "x",
      made: { mode: "auto" },
      list: [{ port: 80 }, { port: 1 }],
      map: { a: { on: true } },
    },
  });
  expect(defaulted({})).toEqual({});
});

test("a null that is not allowed takes the default or goes; one that is allowed stays", () => {
  expect(defaulted({ spec: { replicas: null, note: null, plain: null, optional: null } })).toEqual({
    spec: { replicas: 1, note: null, made: { mode: "auto" } },
  });
});

test("a default is a copy of its own", () => {
  const [one, other] = [defaulted({ spec: {} }), defaulted({ spec: {} })];
  (one["spec"] as { made: { mode: string } }).made.mode = "changed";
  expect((other["spec"] as { made: { mode: string } }).made.mode).toBe("auto");
});
