import { expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { startFailureOf } from "./start-failure.ts";

const podWith = (terminated: {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}): Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c" }] },
  status: {
    phase: "Running",
    containerStatuses: [
      { name: "c", ready: false, restartCount: 1, image: "i", imageID: "", state: {}, lastState: { terminated } },
    ],
  },
});

test("a container that ended by itself is a start failure with its code and last words", () => {
  const pod = podWith({ exitCode: 3, reason: "Error", message: "no database" });
  expect(startFailureOf([pod])).toEqual({
    part: "container",
    reason: "ExitCode3",
    message: "Container failed with: no database",
  });
});

test("a container of which nothing is known, because the node agent was restarted, is none", () => {
  const pod = podWith({ exitCode: 137, reason: "ContainerStatusUnknown", message: "the node agent was restarted" });
  expect(startFailureOf([pod])).toBeUndefined();
});
