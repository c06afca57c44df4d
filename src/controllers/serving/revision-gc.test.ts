import { expect, test } from "vitest";
import { revisionGcConfig } from "../../api/serving/config-gc.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import { revisionsToRemove } from "./revision-gc.ts";

const hourMs = 3_600_000;
const now = Date.UTC(2026, 5, 1);
const at = (hoursAgo: number): string => new Date(now - hoursAgo * hourMs).toISOString().replace(".000Z", "Z");

/** A Revision made and last active that many hours ago. */
const revision = (
  name: string,
  createdH: number,
  activeH: number,
  some: { state?: string; keep?: boolean } = {},
): Revision => ({
  metadata: {
    name,
    creationTimestamp: at(createdH),
    labels: { "serving.knative.dev/routingState": some.state ?? "reserve" },
    annotations: {
      "serving.knative.dev/routingStateModified": at(activeH),
      ...(some.keep ? { "serving.knative.dev/no-gc": "true" } : {}),
    },
  },
  spec: { containers: [] },
});

const removed = (
  revisions: readonly Revision[],
  data: Record<string, string>,
  latestReady?: string,
): readonly string[] =>
  revisionsToRemove({ revisions, latestReady, config: revisionGcConfig(data), nowMs: now }).remove.map(
    (r) => r.metadata.name,
  );

const none = { "min-non-active-revisions": "0" };

test("removes what is past both retention times, the longest inactive first, down to the minimum", () => {
  const revisions = [revision("a", 100, 20), revision("b", 100, 90), revision("c", 100, 50), revision("young", 10, 9)];
  expect(removed(revisions, none)).toEqual(["b", "c", "a"]);
  expect(removed(revisions, { "min-non-active-revisions": "2" })).toEqual(["b", "c"]);
  expect(removed(revisions, {})).toEqual([]);
});

test("keeps what is routed to, latest ready, marked, new or lately active", () => {
  const revisions = [
    revision("active", 100, 100, { state: "active" }),
    revision("pending", 100, 100, { state: "pending" }),
    revision("latest", 100, 100),
    revision("marked", 100, 100, { keep: true }),
    revision("new", 47, 47),
    revision("used", 100, 14),
  ];
  expect(removed(revisions, none, "latest")).toEqual([]);
});

test("removes beyond the maximum whatever their age", () => {
  const revisions = [revision("a", 3, 3), revision("b", 2, 2), revision("c", 1, 1)];
  expect(removed(revisions, { ...none, "max-non-active-revisions": "1" })).toEqual(["a", "b"]);
  expect(removed(revisions, { ...none, "max-non-active-revisions": "disabled" })).toEqual([]);
});

test("never removes by age where a retention time is disabled", () => {
  expect(removed([revision("a", 1000, 1000)], { ...none, "retain-since-create-time": "disabled" })).toEqual([]);
});

test("says when to look again", () => {
  const look = (data: Record<string, string>) =>
    revisionsToRemove({
      revisions: [revision("a", 40, 1)],
      latestReady: undefined,
      config: revisionGcConfig(data),
      nowMs: now,
    }).nextMs;
  expect(look(none)).toBe(now + 14 * hourMs);
  expect(look({})).toBeUndefined();
});
