import { expect, test } from "vitest";
import { newerThan } from "./newer-installation.ts";

const own = { version: "1.2.3", revision: 7 };

test.each([
  [{ version: "1.2.4", revision: "7" }, true],
  [{ version: "1.10.0", revision: "1" }, true],
  [{ version: "2.0.0", revision: "1" }, true],
  [{ version: "1.2.3", revision: "8" }, true],
  [{ version: "1.2.3", revision: "7" }, false],
  [{ version: "1.2.3", revision: "6" }, false],
  [{ version: "1.2.2", revision: "9" }, false],
  [{ version: "1.2.3-beta.1", revision: "7" }, false],
  [{ version: "1.2.4-beta.1", revision: "7" }, true],
  [{}, false],
  [{ version: "", revision: "" }, false],
])("an installation of %j is newer: %s", (there, newer) => {
  expect(newerThan(own, there) !== undefined).toBe(newer);
});

test("says both, version and revision", () => {
  expect(newerThan(own, { version: "1.2.3", revision: "9" })).toBe(
    "1.2.3 (installation revision 9), and this is 1.2.3 (7)",
  );
});
