import { expect, test } from "vitest";
import { capabilitiesOf } from "./capabilities.ts";

test("without a wish root may bind low ports and drop to another user, but not administer", () => {
  const usual = capabilitiesOf(undefined);
  expect(usual).toContain("CAP_NET_BIND_SERVICE");
  expect(usual).toContain("CAP_SETUID");
  expect(usual).not.toContain("CAP_SYS_ADMIN");
  expect(usual).not.toContain("CAP_NET_RAW");
});

test.each([
  [{ drop: ["ALL"] }, []],
  [{ drop: ["ALL"], add: ["NET_BIND_SERVICE"] }, ["CAP_NET_BIND_SERVICE"]],
  [{ drop: ["all"], add: ["cap_sys_time"] }, ["CAP_SYS_TIME"]],
])("%j leaves %j", (wish, left) => {
  expect(capabilitiesOf(wish)).toEqual(left);
});

test("a capability that does not exist is named", () => {
  expect(() => capabilitiesOf({ add: ["NET_BINDING"] })).toThrow('there is no capability "NET_BINDING"');
});
