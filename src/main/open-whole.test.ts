import { expect, test } from "vitest";
import { openWhole } from "./open-whole.ts";

test("what fails to open leaves nothing open; what is open closes once, last opened first", async () => {
  const closed: string[] = [];
  const open = (fails: boolean) =>
    openWhole(async (closers) => {
      closers.defer(() => void closed.push("first"));
      closers.defer(() => void closed.push("second"));
      await Promise.resolve();
      if (fails) throw new Error("no third");
      return { port: 1 };
    });

  await expect(open(true)).rejects.toThrow("no third");
  expect(closed).toEqual(["second", "first"]);

  const whole = await open(false);
  expect(whole.port).toBe(1);
  await Promise.all([whole.close(), whole.close()]);
  expect(closed).toEqual(["second", "first", "second", "first"]);
});
