import { expect, test } from "vitest";
import type { ContainerState } from "../../api/core/types.gen.ts";
import { waitingView } from "./container-view.ts";
import { failureOf } from "./failure.ts";

test.each<readonly [string, ContainerState, ContainerState, string | undefined]>([
  ["it is only starting", { waiting: { reason: "ContainerCreating" } }, {}, undefined],
  ["it runs", { running: {} }, { terminated: { exitCode: 1, reason: "Error" } }, undefined],
  ["it ended well", { terminated: { exitCode: 0, reason: "Completed" } }, {}, undefined],
  [
    "it threw",
    { terminated: { exitCode: 1, reason: "ImportFailed", message: "TypeError: x\n    at y" } },
    {},
    "main ended with ImportFailed, exit code 1: TypeError: x",
  ],
  [
    "it crashes",
    { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
    { terminated: { exitCode: 3, reason: "Error", message: "cannot find the moon" } },
    "main ended with Error, exit code 3: cannot find the moon",
  ],
  [
    "it cannot be started",
    { waiting: { reason: "ErrImagePull", message: 'image "x" is not in the local store' } },
    {},
    'main cannot start, ErrImagePull: image "x" is not in the local store',
  ],
])("when %s", (_, state, lastState, expected) => {
  expect(failureOf({ ...waitingView("main", "img", ""), state, lastState })).toBe(expected);
});
