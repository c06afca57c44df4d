import { expect, test } from "vitest";
import { ManualClock } from "../../client/manual-clock.ts";
import { deploymentConfig } from "../../api/serving/config-deployment.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import { createDigestResolver, registryOf } from "./digest-resolver.ts";

const config = deploymentConfig({});
const revision = (...images: readonly string[]): Revision => ({
  metadata: { name: "r", uid: "u" },
  spec: { containers: images.map((image, i) => ({ name: `c${i}`, image })) },
});
const digest = `sha256:${"1".repeat(64)}`;

test("asks nobody about images made here", () => {
  const resolver = createDigestResolver({
    clock: new ManualClock(),
    resolveDigest: () => Promise.reject(new Error("was asked")),
  });
  expect(resolver.resolve(revision("dev.local/hello", "ko.local/x"), config, () => {})).toEqual({
    kind: "resolved",
    containers: [{ name: "c0" }, { name: "c1" }],
    init: [],
  });
});

test("looks once per Revision and tells when it knows", async () => {
  const asked: string[] = [];
  const resolver = createDigestResolver({
    clock: new ManualClock(),
    resolveDigest: async (image) => {
      asked.push(image);
      return `${image}@${digest}`;
    },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  expect(resolver.resolve(revision("example.com/a"), config, resolve)).toEqual({ kind: "resolving" });
  expect(resolver.resolve(revision("example.com/a"), config, resolve)).toEqual({ kind: "resolving" });
  await promise;
  expect(resolver.resolve(revision("example.com/a"), config, resolve)).toMatchObject({
    kind: "resolved",
    containers: [{ name: "c0", imageDigest: `example.com/a@${digest}` }],
  });
  expect(asked).toEqual(["example.com/a"]);
});

test("answers a failure at once and tries again later, less and less often", async () => {
  const clock = new ManualClock();
  let failing = true;
  let calls = 0;
  const resolver = createDigestResolver({
    clock,
    resolveDigest: async (image) => {
      calls += 1;
      if (failing) throw new Error("manifest unknown");
      return `${image}@${digest}`;
    },
  });
  const ask = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { state: resolver.resolve(revision("example.com/a"), config, resolve), settled: promise };
  };
  await ask().settled;
  expect(ask().state).toEqual({ kind: "failed", image: "example.com/a", error: "manifest unknown" });
  expect(calls).toBe(1);
  await clock.advance(1_000);
  await ask().settled;
  expect(calls).toBe(2);
  failing = false;
  await clock.advance(1_000);
  expect(ask().state.kind).toBe("failed");
  await clock.advance(1_000);
  await ask().settled;
  expect(ask().state.kind).toBe("resolved");
});

test.each([
  ["nginx", "index.docker.io"],
  ["library/nginx", "index.docker.io"],
  ["dev.local/hello", "dev.local"],
  ["localhost/x", "localhost"],
  ["localhost:5000/x", "localhost:5000"],
])("finds the registry of %s", (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});
