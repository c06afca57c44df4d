import { expect, test } from "vitest";
import type { SeenType } from "../api/eventing/engine.ts";
import { createSeenTypes } from "./seen-types.ts";

const stream = { kind: "broker", namespace: "default", name: "b", uid: "u" } as const;

test("tells of each type of a stream once, by type, source and schema", () => {
  const types = createSeenTypes();
  const seen: SeenType[] = [];
  types.note(stream, { type: "before anybody listens", source: "/s" });
  const stop = types.onNew((one) => seen.push(one));
  for (let round = 0; round < 3; round += 1) {
    types.note(stream, { type: "a", source: "/s" });
    types.note(stream, { type: "a", source: "/other" });
    types.note(stream, { type: "a", source: "/s", dataschema: "http://x" });
    types.note({ ...stream, uid: "u2" }, { type: "a", source: "/s" });
  }
  expect(seen.map(({ type, source, schema, stream: { uid } }) => [type, source, schema, uid])).toEqual([
    ["a", "/s", undefined, "u"],
    ["a", "/other", undefined, "u"],
    ["a", "/s", "http://x", "u"],
    ["a", "/s", undefined, "u2"],
  ]);
  types.forget(stream);
  types.note(stream, { type: "a", source: "/s" });
  expect(seen).toHaveLength(5);
  stop();
  types.note(stream, { type: "later", source: "/s" });
  expect(seen).toHaveLength(5);
});

test("stops telling of a stream whose sources are different in every event", () => {
  const types = createSeenTypes();
  const seen: SeenType[] = [];
  types.onNew((one) => seen.push(one));
  for (let n = 0; n < 1000; n += 1) types.note(stream, { type: "a", source: `/${n}` });
  expect(seen).toHaveLength(200);
  expect(seen.map(({ isLast }) => isLast).indexOf(true)).toBe(199);
});
