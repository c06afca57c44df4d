import { array, type Arbitrary, assert, constantFrom, dictionary, letrec, oneof, property } from "fast-check";
import { expect, test } from "vitest";
import { createPartSharer } from "./share-parts.ts";

const parse = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

/** Few distinct keys and texts, so that parts repeat and almost repeat. */
const parts = letrec((tie) => ({
  value: oneof(
    { maxDepth: 4 },
    constantFrom("", "a", "a text of more than ten characters", "a text of more than ten characterz", "1", "true"),
    constantFrom<unknown>(0, -0, 1, 1.5, 2 ** 40, true, false, null),
    array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: dictionary(constantFrom("a", "b", "c", "metadata", "__proto__", "a key of more than ten"), tie("value"), {
    maxKeys: 4,
  }),
}));

test("what is shared reads as it did before, to the byte, however much was shared already", () => {
  assert(
    property(array(parts.object as Arbitrary<object>, { minLength: 1, maxLength: 12 }), (objects) => {
      const share = createPartSharer();
      const texts = objects.map((object) => JSON.stringify(object));
      const shared = texts.map((text) => share(JSON.parse(text) as object));
      expect(shared.map((object) => JSON.stringify(object))).toEqual(texts);
    }),
    { numRuns: 300 },
  );
});

test("equal parts of different objects become one, the objects and their metadata stay their own", () => {
  const share = createPartSharer();
  const make = (name: string): Record<string, Record<string, unknown>> =>
    parse({
      apiVersion: "v1",
      metadata: { name, labels: { app: "one", tier: "web" } },
      spec: { template: { containers: [{ name: "c", env: [{ name: "A", value: "1" }] }] } },
    }) as Record<string, Record<string, unknown>>;
  const [a, b] = [share(make("a")), share(make("b"))];
  expect(b["spec"]).toBe(a["spec"]);
  expect(b["metadata"]?.["labels"]).toBe(a["metadata"]?.["labels"]);
  expect(b["metadata"]).not.toBe(a["metadata"]);
  expect(b).not.toBe(a);
});

test("parts that differ only in the order of their keys are not one", () => {
  const share = createPartSharer();
  const [a, b] = [share(parse({ spec: { x: 1, y: 2 } })), share(parse({ spec: { y: 2, x: 1 } }))];
  expect([JSON.stringify(a["spec"]), JSON.stringify(b["spec"])]).toEqual(['{"x":1,"y":2}', '{"y":2,"x":1}']);
});

test("a list and an object of the same items are not one", () => {
  const share = createPartSharer();
  share(parse({ spec: ["x"] }));
  expect(share(parse({ spec: { "0": "x" } }))).toEqual({ spec: { "0": "x" } });
});

test("frozen parts can be shared with later objects", () => {
  const share = createPartSharer();
  const first = share(parse({ spec: { containers: [{ image: "an image of some length" }] } }));
  for (const part of [first["spec"], (first["spec"] as { containers: object[] }).containers[0]]) Object.freeze(part);
  expect(share(parse({ spec: { containers: [{ image: "an image of some length" }] } }))["spec"]).toBe(first["spec"]);
});

test("a part seen again and again stays the shared one while thousands are seen once", () => {
  const share = createPartSharer();
  const common = (): Record<string, unknown> => parse({ spec: { policy: "seen in every object there is" } });
  share(common());
  const kept = share(common())["spec"];
  for (let i = 0; i < 100_000; i++) share(parse({ spec: { unique: `text number ${i}` } }));
  expect(share(common())["spec"]).toBe(kept);
});
