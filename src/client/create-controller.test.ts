import { expect, test } from "vitest";
import { failure } from "../api/meta/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createController } from "./create-controller.ts";
import { ManualClock } from "./manual-clock.ts";

test("what cannot be created in a namespace that is being deleted is not tried again and again", async () => {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (text: string) => warnings.push(text),
    with: () => log,
  } as unknown as Logger;
  const causes = [{ reason: "NamespaceTerminating", message: "it goes", field: "metadata.namespace" }];
  let tries = 0;
  const stop = new AbortController();
  const controller = createController(
    {
      name: "test",
      watches: [],
      onStart: (queue) => queue.add("going/one"),
      reconcile: async () => {
        tries++;
        if (tries < 3) throw failure(403, "Forbidden", "it is being terminated", { causes });
      },
    },
    {
      clock,
      log,
      informers: {
        of: () => {
          throw new Error("nothing is watched");
        },
        synced: () => Promise.resolve(),
      },
    },
  );
  controller.start(stop.signal);
  await clock.advance(59_000);
  expect(tries).toBe(1);
  await clock.advance(65_000);
  expect([tries, warnings]).toEqual([3, []]);
  await controller.close();
});
