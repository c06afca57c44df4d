import { expect, test } from "vitest";
import type { Service, ServiceStatus } from "../../api/serving/types.gen.ts";
import { ProgressNotes } from "./progress-notes.ts";

const statusOf = (ready: "True" | "False" | "Unknown", generation = 1): ServiceStatus => ({
  observedGeneration: generation,
  conditions: [{ type: "Ready", status: ready }],
});

const makeService = (status?: ServiceStatus): Service => ({
  metadata: { name: "s", namespace: "n" },
  spec: { template: { spec: { containers: [] } } },
  ...(status ? { status } : {}),
});

test("a new Service says at once that it has been seen, and what it waits for once a second", () => {
  const notes = new ProgressNotes();
  expect(notes.holdMs(makeService(), statusOf("Unknown"), 1000)).toBe(0);
  const waiting = makeService(statusOf("Unknown"));
  expect(notes.holdMs(waiting, statusOf("Unknown"), 1400)).toBe(600);
  expect(notes.holdMs(waiting, statusOf("Unknown"), 2000)).toBe(0);
  expect(notes.holdMs(waiting, statusOf("Unknown"), 2001)).toBe(999);
});

test.each([
  ["that it is ready", makeService(statusOf("Unknown")), statusOf("True")],
  ["that it has failed", makeService(statusOf("Unknown")), statusOf("False")],
  ["that it has taken in a new spec", makeService(statusOf("Unknown")), statusOf("Unknown", 2)],
  ["that it is ready no more", makeService(statusOf("True")), statusOf("Unknown")],
])("%s is told at once", (_what, service, status) => {
  const notes = new ProgressNotes();
  notes.holdMs(makeService(), statusOf("Unknown"), 1000);
  expect(notes.holdMs(service, status, 1001)).toBe(0);
});

test("a clock that was set back holds nothing for longer", () => {
  const notes = new ProgressNotes();
  notes.holdMs(makeService(), statusOf("Unknown"), 100_000);
  expect(notes.holdMs(makeService(statusOf("Unknown")), statusOf("Unknown"), 5000)).toBe(0);
});
