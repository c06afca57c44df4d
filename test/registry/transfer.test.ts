/** Pull and push through a network that fails, against ebb's own registry and the distribution project's. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { attach } from "../../src/images/attest/attach.ts";
import { buildImage, buildIndex, type ImageSource } from "../../src/images/build-image.ts";
import { createImagePuller } from "../../src/images/registry/image-puller.ts";
import { pullImage } from "../../src/images/registry/pull-image.ts";
import { pushImage } from "../../src/images/registry/push-image.ts";
import { createRegistryClient, type RegistryClient } from "../../src/images/registry/registry-client.ts";
import type { TransferEvent } from "../../src/images/registry/progress.ts";
import { resolveDigest } from "../../src/images/resolve-digest.ts";
import { startFaultyProxy, type FaultyProxy } from "./faulty-proxy.ts";
import { has, startDistribution, startOurs, temporaryStore, type RunningRegistry } from "./registries.ts";

const big = 6 << 20;
/** Each test has contents of its own: ebb's registry has one store for all repositories. */
let count = 0;
const image = (app: string): ImageSource => ({
  layers: [
    { kind: "files", files: [{ path: "lib/big", content: Buffer.alloc(big, `contents ${count}`) }] },
    { kind: "files", files: [{ path: "app/index.mjs", content: `// ${count}\n${app}` }] },
  ],
  config: { Cmd: ["/app", String(count)], User: "65532" },
});

const kinds = [
  { name: "ebb", available: true },
  { name: "distribution (needs docker-registry)", available: has("docker-registry") },
];

describe.each(kinds)("$name", ({ name, available }) => {
  const own = temporaryStore();
  let registry: RunningRegistry;
  let proxy: FaultyProxy;
  let here: ReturnType<typeof temporaryStore>;
  let there: ReturnType<typeof temporaryStore>;
  let client: RegistryClient;
  let slept: number[];
  let repository: string;

  beforeAll(async () => {
    if (available) registry = name === "ebb" ? await startOurs(own.store) : await startDistribution();
  });
  afterAll(async () => {
    await registry?.close();
    own.remove();
  });
  beforeEach(async () => {
    if (!available) return;
    proxy = await startFaultyProxy(registry.host);
    [here, there] = [temporaryStore(), temporaryStore()];
    slept = [];
    client = createRegistryClient({
      findCredentials: () => Promise.resolve(undefined),
      retry: { sleep: async (ms) => void slept.push(ms), random: () => 0 },
    });
    repository = `${proxy.host}/test/r${(count += 1)}`;
  });
  afterEach(async () => {
    if (!available) return;
    await client.close();
    await proxy.close();
    here.remove();
    there.remove();
  });

  const retry = { sleep: async (ms: number) => void slept.push(ms), random: () => 0 };
  const check = available ? test : test.skip;
  const push = async (to = `${repository}:v1`) =>
    await pushImage({ client, store: here.store }, "dev.local/a", to, { retry });
  const pull = async (options = {}) =>
    await pullImage({ client, store: there.store }, `${repository}:v1`, { retry, ...options });

  check("an image comes back as it went, file for file", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    const pushed = await push();
    expect(pushed).toMatchObject({ reference: `${repository}@${digest}`, digest });
    const pulled = await pull();
    expect(pulled).toMatchObject({ digest, reference: `${repository}@${digest}` });
    const root = await there.store.unpack(digest);
    expect(await readFile(join(root, "app/index.mjs"), "utf8")).toBe(`// ${count}\none`);
    expect(await resolveDigest({ store: there.store, client }, `${repository}:v1`)).toBe(`${repository}@${digest}`);
  });

  check("an image for one platform is not taken for another's", async () => {
    await buildImage(here.store, "dev.local/a", { ...image("one"), architecture: "arm64" });
    await push();
    const amd64 = { os: "linux", architecture: "amd64" };
    await expect(pull({ platform: amd64 })).rejects.toThrow("it is made for linux/arm64 alone");
    expect(there.store.find(`${repository}:v1`)).toBeUndefined();
    await pull({ platform: { os: "linux", architecture: "arm64" } });
  });

  check("an image for several platforms comes for one of them, or whole, and whole it goes on", async () => {
    const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }));
    const digest = await buildIndex(here.store, "dev.local/a", image("one"), platforms);
    await push();
    const arm = await pull({ platform: platforms[1] });
    expect(arm.named.digest).toBe(digest);
    const stored = await there.store.resolve(`${repository}:v1`, platforms[1]);
    expect([stored?.digest, stored?.config.architecture]).toEqual([arm.digest, "arm64"]);
    const onward = { client, store: there.store };
    await expect(pushImage(onward, `${repository}:v1`, `${repository}-on:v1`)).rejects.toThrow("--platform");
    expect((await pull({ platform: "all" })).digest).toBe(digest);
    expect((await pushImage(onward, `${repository}:v1`, `${repository}-on:v1`)).digest).toBe(digest);
    expect(await resolveDigest({ store: there.store, client }, `${repository}:v1`)).toBe(`${repository}@${digest}`);
    const s390x = { os: "linux", architecture: "s390x" };
    await expect(pull({ platform: s390x })).rejects.toThrow("only for linux/amd64, linux/arm64");
  });

  check("SBOMs and signatures go with their image, and are listed where it is", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    const sbom = await attach(here.store, "dev.local/a", {
      artifactType: "application/spdx+json",
      content: { of: digest },
    });
    await push();
    const list = await fetch(`http://${proxy.host}/v2/test/r${count}/referrers/${digest}`);
    const fallback = await fetch(`http://${proxy.host}/v2/test/r${count}/manifests/${digest.replace(":", "-")}`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const answer = list.ok ? list : fallback;
    const { manifests } = (await answer.json()) as { readonly manifests: readonly unknown[] };
    expect(manifests).toMatchObject([{ digest: sbom, artifactType: "application/spdx+json" }]);
    expect((await push()).sentBlobs).toEqual([]);
  });

  check("of a rebuilt image only the changed layer, its config and manifest travel", async () => {
    await buildImage(here.store, "dev.local/a", image("one"));
    expect((await push()).sentBlobs).toHaveLength(3);
    await buildImage(here.store, "dev.local/a", image("two"));
    const seenBefore = proxy.seen.length;
    const again = await push();
    expect(again.sentBlobs).toHaveLength(2);
    expect(again.sentBytes).toBeLessThan(10_000);
    const uploads = proxy.seen.slice(seenBefore).filter((line) => line.startsWith("POST "));
    expect(uploads).toHaveLength(2);
    expect((await push()).sentBlobs).toEqual([]);
  });

  check("a layer another repository of the registry has is not sent to a second one", async () => {
    await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    await pullImage({ client, store: here.store }, `${repository}:v1`);
    await buildImage(here.store, "dev.local/a", image("two"));
    const events: TransferEvent[] = [];
    const other = `${repository}-other:v1`;
    await pushImage({ client, store: here.store }, "dev.local/a", other, { progress: (e) => void events.push(e) });
    const layers = events.filter((e) => e.what === "layer" && e.size > big);
    expect(layers.map((e) => e.state)).toEqual([name === "ebb" ? "present" : "mounted"]);
  });

  check("a push that is cut off goes on where the registry stopped hearing", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    proxy.fail({ method: "PATCH", path: "/uploads/", act: { kind: "cut-request", after: 3 << 20 } });
    expect((await push()).digest).toBe(digest);
    expect(slept.length).toBeGreaterThan(0);
    expect((await pull()).digest).toBe(digest);
  });

  check("a pull that is cut off goes on from the last byte that came", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    proxy.fail({ method: "GET", path: "/blobs/", times: 4, act: { kind: "cut-response", after: 2 << 20 } });
    const done: number[] = [];
    await pull({ progress: (e: TransferEvent) => void (e.size > big && done.push(e.done)) });
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    await there.store.unpack(digest);
  });

  check("what a broken pull leaves is taken up by the next one", async () => {
    await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    proxy.fail(
      { method: "GET", path: "/blobs/", times: 1, act: { kind: "cut-response", after: 2 << 20 } },
      { method: "GET", path: "/blobs/", times: 99, act: { kind: "answer", status: 403 } },
    );
    const layer = (await here.store.resolve("dev.local/a"))?.manifest.layers[0];
    const config = (await here.store.resolve("dev.local/a"))?.manifest.config;
    await there.store.blobs.put(await readFile(here.store.blobs.file(config!.digest)));
    const small = (await here.store.resolve("dev.local/a"))?.manifest.layers[1];
    await there.store.blobs.put(await readFile(here.store.blobs.file(small!.digest)));
    await expect(pull()).rejects.toThrow(/may not do that/);
    expect(await readdir(join(there.store.dir, "drafts"))).toEqual([`${layer!.digest.slice(7)}.partial`]);
    proxy.fail();
    const first: number[] = [];
    await pull({ progress: (e: TransferEvent) => void (e.size > big && first.push(e.done)) });
    expect(first[0]).toBeGreaterThan(1 << 20);
    expect(await readdir(join(there.store.dir, "drafts"))).toEqual([]);
  });

  check("429 is waited out for as long as it says; 503 a little longer each time", async () => {
    await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    proxy.fail(
      { method: "GET", path: "/manifests/", act: { kind: "answer", status: 429, headers: { "retry-after": "7" } } },
      { method: "GET", path: "/manifests/", times: 2, act: { kind: "answer", status: 503 } },
    );
    await pull();
    expect(slept).toEqual([7000, 500, 1000]);
  });

  check("a registry that stays in trouble is given up on, and says so", async () => {
    await buildImage(here.store, "dev.local/a", image("one"));
    proxy.fail({ method: "POST", path: "/uploads/", times: 1000, act: { kind: "answer", status: 502 } });
    await expect(push()).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringContaining("in trouble"),
    });
    proxy.fail();
    await expect(pull()).rejects.toMatchObject({ reason: "not-found" });
  });

  check("bytes that changed on the way are refused and not kept", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    proxy.fail({ method: "GET", path: "/blobs/", times: 3, act: { kind: "spoil-response" } });
    await expect(pull()).rejects.toMatchObject({ reason: "damaged", message: expect.stringContaining("arrives as") });
    expect(there.store.find(`${repository}:v1`)).toBeUndefined();
    proxy.fail({ method: "GET", path: "/manifests/", act: { kind: "spoil-response" } });
    await expect(pull()).rejects.toMatchObject({ reason: "damaged" });
    proxy.fail();
    expect((await pull()).digest).toBe(digest);
  });

  check("a blob the store has damaged is named when unpacked, with the remedy", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    await pull();
    const layer = (await there.store.resolve(`${repository}:v1`))!.manifest.layers[1]!;
    await writeFile(there.store.blobs.file(layer.digest), Buffer.alloc(layer.size));
    await expect(there.store.unpack(digest)).rejects.toThrow(/layer 2 .* damaged.*ebb image gc --verify/);
  });

  check("many who want one image at a time make it travel once, and may leave on their own", async () => {
    const digest = await buildImage(here.store, "dev.local/a", image("one"));
    await push();
    const puller = createImagePuller({ client, store: there.store });
    const leaving = new AbortController();
    const before = proxy.seen.length;
    const waiting = [1, 2, 3].map(() => puller.pull(`${repository}:v1`, {}));
    const left = puller.pull(`${repository}:v1`, { signal: leaving.signal });
    leaving.abort(new Error("no longer wanted"));
    await expect(left).rejects.toThrow("no longer wanted");
    expect((await Promise.all(waiting)).map((one) => one.digest)).toEqual([digest, digest, digest]);
    expect(proxy.seen.slice(before).filter((line) => line.includes("/blobs/"))).toHaveLength(3);
  });
});
