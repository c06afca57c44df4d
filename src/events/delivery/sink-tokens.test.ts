import { expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import { createSinkTokens } from "./sink-tokens.ts";

const as = { namespace: "n", name: "a" };

test("asks once for everybody who waits, keeps a token for most of its time, and asks again after a failure", async () => {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  let fails = true;
  const token = createSinkTokens(async ({ namespace, name }, audience) => {
    asked.push(`${namespace}/${name} ${audience}`);
    if (fails) throw new Error("no account");
    return { token: `t${asked.length}`, expiresAtMs: clock.now() + 1000 };
  }, clock);
  await expect(token(as, "x")).rejects.toThrow("no account");
  fails = false;
  expect(await Promise.all([token(as, "x"), token(as, "x")])).toEqual(["t2", "t2"]);
  expect(await token(as, "y")).toBe("t3");
  await clock.advance(790);
  expect(await token(as, "x")).toBe("t2");
  await clock.advance(20);
  expect(await token(as, "x")).toBe("t4");
  expect(asked).toEqual(["n/a x", "n/a x", "n/a y", "n/a x"]);
});
