import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { containerUser } from "./container-user.ts";

const root = mkdtempSync(join(tmpdir(), "ebb-user-"));
mkdirSync(join(root, "etc"));
writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n");
writeFileSync(join(root, "etc/group"), "root:x:0:\napp:x:1001:\nweb:x:33:app,other\n");
afterAll(() => rmSync(root, { recursive: true }));

test.each([
  ["", {}, { uid: 0, gid: 0, additionalGids: [], home: "/root" }],
  ["app", {}, { uid: 1000, gid: 1001, additionalGids: [33], home: "/home/app" }],
  ["1000", {}, { uid: 1000, gid: 1001, additionalGids: [33], home: "/home/app" }],
  ["app:web", {}, { uid: 1000, gid: 33, additionalGids: [33], home: "/home/app" }],
  ["65532", {}, { uid: 65532, gid: 0, additionalGids: [], home: "/" }],
  ["app", { runAsUser: 7 }, { uid: 7, gid: 0, additionalGids: [], home: "/" }],
  ["app", { runAsUser: 0, runAsGroup: 5 }, { uid: 0, gid: 5, additionalGids: [], home: "/root" }],
])("the image's %j with %j runs as %j", (user, security, expected) => {
  expect(containerUser(root, user, security)).toEqual(expected);
});

test("a user that the image does not know is named", () => {
  expect(() => containerUser(root, "web-server", {})).toThrow('its own files know no user "web-server"');
});

test("runAsNonRoot refuses root, from the image or from the pod", () => {
  expect(() => containerUser(root, "", { runAsNonRoot: true })).toThrow("image will run as root");
  expect(() => containerUser(root, "app", { runAsNonRoot: true, runAsUser: 0 })).toThrow("breaks non-root policy");
  expect(containerUser(root, "app", { runAsNonRoot: true }).uid).toBe(1000);
});

test("an image's passwd file that is a link is not followed out of the image", () => {
  const evil = mkdtempSync(join(tmpdir(), "ebb-user-"));
  mkdirSync(join(evil, "etc"));
  symlinkSync("/etc/passwd", join(evil, "etc/passwd"));
  expect(() => containerUser(evil, "root", {})).toThrow('know no user "root"');
  rmSync(evil, { recursive: true });
});
