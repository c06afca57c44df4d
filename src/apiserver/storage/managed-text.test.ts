import { assert, constantFrom, oneof, property, string, array } from "fast-check";
import { expect, test } from "vitest";
import { createManagedPacker, managedText } from "./managed-text.ts";

const entry = (uid: string, time: string): string =>
  `[{"manager":"m","time":"${time}","fieldsV1":{"f:metadata":{"f:ownerReferences":{"k:{\\"uid\\":\\"${uid}\\"}":{}}}}}]`;
const uids = ["875137bc-3ee1-4c54-a2fa-acdf6d2fb244", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"];

test("objects that differ by times and uids share the rest", () => {
  const pack = createManagedPacker();
  const texts = [entry(uids[0] ?? "", "2026-01-02T03:04:05Z"), entry(uids[1] ?? "", "2026-02-03T04:05:06Z")];
  const packed = texts.map(pack);
  expect(packed.map(managedText)).toEqual(texts);
  expect(packed[0]?.template).toBe(packed[1]?.template);
  expect(packed[0]?.values).toHaveLength(58);
});

test("nothing packs to nothing", () => {
  expect(createManagedPacker()("")).toBeUndefined();
  expect(managedText(undefined)).toBe("");
});

test("any JSON comes back as it went in", () => {
  const pack = createManagedPacker();
  const piece = oneof(string(), constantFrom(...uids, "2026-01-02T03:04:05Z", "12026-01-02T03:04:05Z"));
  assert(
    property(array(piece), (pieces) => {
      const text = JSON.stringify(pieces);
      expect(managedText(pack(text))).toBe(text);
    }),
  );
});
