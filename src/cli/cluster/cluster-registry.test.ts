import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clusterRegistry, imageNames } from "./cluster-registry.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "ebb-contexts-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const of = (options: Readonly<Record<string, string | boolean>>, context = "prod", server = "https://prod") =>
  clusterRegistry({ args: [], options }, { dataDir, context, server });

test("a registry is asked for once, and kept for its context and server", () => {
  expect(() => of({})).toThrow('context "prod" needs a registry');
  const first = of({ registry: "https://ghcr.io/me/", insecure: true });
  expect(first.registry).toEqual({ pull: "ghcr.io/me", push: "ghcr.io/me", insecure: true });
  expect(() => of({})).toThrow("needs a registry");
  expect(first.keep()).toBe(true);
  expect(of({}).registry).toEqual(first.registry);
  expect(of({}).keep()).toBe(false);
  expect(() => of({}, "stage")).toThrow('context "stage" needs a registry');
  expect(() => of({}, "prod", "https://another")).toThrow("needs a registry");
});

test("another name to push by is kept too, and goes with the registry it was for", () => {
  of({ registry: "registry.local:5000", "push-registry": "", pushRegistry: "localhost:5001" }).keep();
  expect(of({}).registry).toEqual({ pull: "registry.local:5000", push: "localhost:5001", insecure: false });
  expect(of({ registry: "ghcr.io/me" }).registry).toEqual({ pull: "ghcr.io/me", push: "ghcr.io/me", insecure: false });
});

test.each(["me/functions", "ghcr.io/Me", "ghcr.io/me:v1", "ghcr.io//x", "."])("%s is no registry", (registry) => {
  expect(() => of({ registry })).toThrow(`--registry: "${registry}" is not a registry such as`);
});

test("an image is pulled by its digest and keeps a tag that says it", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  expect(imageNames({ pull: "in:5000/x", push: "out:5000/x", insecure: false }, "hello", digest)).toEqual({
    pull: `in:5000/x/hello@${digest}`,
    push: "out:5000/x/hello:abababababab",
  });
});
