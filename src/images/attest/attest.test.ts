import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildImage, buildIndex, putLayer } from "../build-image.ts";
import { isIndex, type Index, type Manifest } from "../oci.ts";
import { referrersOf } from "../referrers.ts";
import { openImageStore, type ImageStore } from "../store.ts";
import { attach } from "./attach.ts";
import { layerPackages } from "./layer-packages.ts";
import { lockFiles } from "./lock-packages.ts";
import { distinct, packageOf, packagesOf } from "./package.ts";
import { provenanceStatement } from "./provenance.ts";
import { spdxDocument } from "./spdx.ts";

let dir: string;
let store: ImageStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-attest-"));
  store = openImageStore(dir);
});
afterEach(async () => {
  store.close();
  await rm(dir, { recursive: true });
});

test.each<[string, string, readonly string[]]>([
  [
    "package-lock.json",
    JSON.stringify({
      packages: {
        "": { name: "me", version: "1.0.0" },
        "node_modules/a": { version: "1.2.3" },
        "node_modules/a/node_modules/@scope/b": { version: "2.0.0-rc.1+x" },
        "node_modules/alias": { name: "real", version: "3.0.0" },
        "node_modules/only-dev": { version: "1.0.0", dev: true },
        "node_modules/linked": { link: true },
      },
    }),
    ["pkg:npm/a@1.2.3", "pkg:npm/%40scope/b@2.0.0-rc.1%2Bx", "pkg:npm/real@3.0.0"],
  ],
  [
    "go.mod",
    "module example.com/me\n\ngo 1.22\n\nrequire example.com/one v1.0.0\n\nrequire (\n\texample.com/two/v2 v2.1.0 // indirect\n\texample.com/three v0.0.0-20240101000000-abcdefabcdef\n)\n",
    [
      "pkg:golang/example.com/two/v2@v2.1.0",
      "pkg:golang/example.com/three@v0.0.0-20240101000000-abcdefabcdef",
      "pkg:golang/example.com/one@v1.0.0",
    ],
  ],
  [
    "Cargo.lock",
    '[[package]]\nname = "me"\nversion = "0.1.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.200"\nsource = "registry+https://example.com"\n',
    ["pkg:cargo/serde@1.0.200"],
  ],
  [
    "requirements.txt",
    "# comment\nFlask_Login==0.6.3 ; python_version > '3'\nuvicorn[standard]==0.30.1 --hash=sha256:00\nloose>=1\n-r other.txt\n",
    ["pkg:pypi/flask-login@0.6.3", "pkg:pypi/uvicorn@0.30.1"],
  ],
])("the packages of %s", (file, text, purls) => {
  expect(lockFiles[file]?.(text).map((one) => one.purl)).toEqual(purls);
  expect(lockFiles[file]?.("{ broken")).toEqual([]);
});

test("what is installed in a layer is found where package managers leave it", async () => {
  const { descriptor } = await putLayer(store, [
    { path: "app/site/Flask_Login-0.6.3.dist-info/METADATA", content: "" },
    { path: "app/node_modules/@scope/b/package.json", content: '{"name":"@scope/b","version":"1.0.0"}' },
    { path: "app/node_modules/a/package.json", content: '{"name":"a","version":"2.0.0"}' },
    { path: "app/node_modules/a/lib/package.json", content: '{"type":"module"}' },
    { path: "app/package.json", content: '{"name":"me","version":"9.0.0"}' },
  ]);
  const found = distinct(await layerPackages(store.blobs.file(descriptor.digest)));
  expect(found.map((one) => one.purl)).toEqual([
    "pkg:npm/%40scope/b@1.0.0",
    "pkg:npm/a@2.0.0",
    "pkg:pypi/flask-login@0.6.3",
  ]);
});

test("packages are read back from their package URLs", () => {
  const all = [packageOf("npm", "@scope/b", "2.0.0-rc.1+x"), packageOf("golang", "example.com/two/v2", "v2.1.0")];
  expect(packagesOf(all.map(({ purl }) => purl).join(" "))).toEqual(all);
  expect(packagesOf("")).toEqual([]);
});

const facts = {
  image: "dev.local/default/hello",
  digest: `sha256:${"a".repeat(64)}`,
  packages: [packageOf("npm", "a", "1.0.0")],
  base: { name: "dev.local/base/node:26", digest: `sha256:${"b".repeat(64)}` },
  ebbVersion: "0.1.0",
};

test("an SPDX document names the image, its base and its packages, and relates them", () => {
  const document = spdxDocument(facts);
  expect(document).toMatchObject({ spdxVersion: "SPDX-2.3", documentDescribes: ["SPDXRef-Image"] });
  const packages = document["packages"] as readonly { readonly SPDXID: string; readonly name: string }[];
  expect(packages.map((one) => one.name)).toEqual([facts.image, facts.base.name, "a"]);
  const ids = new Set(["SPDXRef-DOCUMENT", ...packages.map((one) => one.SPDXID)]);
  for (const one of document["relationships"] as readonly Readonly<Record<string, string>>[])
    expect([one["spdxElementId"], one["relatedSpdxElement"]].every((id) => ids.has(id ?? ""))).toBe(true);
  expect(spdxDocument(facts)).toEqual(document);
});

test("provenance says of which image, from what, and where the source is", () => {
  const source = { uri: "git+https://example.com/me.git", commit: "c".repeat(40) };
  const statement = provenanceStatement({ ...facts, source, parameters: { language: "node" } });
  expect(statement).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: facts.image, digest: { sha256: "a".repeat(64) } }],
    predicate: {
      buildDefinition: {
        externalParameters: { language: "node" },
        resolvedDependencies: [
          { uri: source.uri, digest: { gitCommit: source.commit } },
          { uri: "oci://dev.local/base/node:26", digest: { sha256: "b".repeat(64) } },
          { uri: "pkg:npm/a@1.0.0" },
        ],
      },
    },
  });
});

const app = { layers: [{ kind: "files", files: [{ path: "app", content: "x" }] }], config: { Cmd: ["/app"] } } as const;

test("what is attached refers to the image, and attaching the same again changes nothing", async () => {
  await buildImage(store, "dev.local/a", app);
  const attachment = { artifactType: "application/spdx+json", content: { some: "thing" } };
  const digest = await attach(store, "dev.local/a", attachment);
  expect(await attach(store, "dev.local/a", attachment)).toBe(digest);
  const image = await store.resolve("dev.local/a");
  const old = await attach(store, "dev.local/a", { ...attachment, artifactType: "other/kind" });
  const changed = await attach(store, "dev.local/a", { artifactType: "other/kind", content: "new" });
  expect([old, changed].map((one) => store.find(`dev.local/a@${one}`) !== undefined)).toEqual([true, true]);
  const kept = (await store.list()).map(({ name }) => name);
  expect([old, changed].map((one) => kept.includes(`dev.local/a@${one}`))).toEqual([false, true]);
  store.untag([`dev.local/a@${changed}`]);
  const referrers = await referrersOf(store, await store.list(), image?.digest ?? "");
  expect(referrers).toMatchObject([{ digest, artifactType: "application/spdx+json" }]);
  expect((await store.readJson<Manifest>(digest))?.subject?.mediaType).toBe(image?.manifest.mediaType);
});

test("one image for several platforms has the base of each and the same layers above", async () => {
  const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }));
  const parts: { readonly mediaType: string; readonly digest: string; readonly size: number }[] = [];
  for (const { architecture } of platforms) {
    const files = [{ path: "bin", content: architecture }];
    await buildImage(store, `dev.local/base:${architecture}`, {
      layers: [{ kind: "files", files }],
      config: { Env: ["A=1"] },
      architecture,
    });
    const found = store.find(`dev.local/base:${architecture}`);
    if (found) parts.push(found);
  }
  const entries = parts.map((part, i) => ({ ...part, platform: platforms[i] }));
  const base = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: entries };
  const bytes = Buffer.from(JSON.stringify(base));
  await store.tag("dev.local/base:all", await store.putBlob(base.mediaType, bytes));
  const digest = await buildIndex(store, "dev.local/a", { ...app, base: "dev.local/base:all" }, platforms);
  const index = await store.readJson<Index>(digest);
  expect(index && isIndex(index) && index.manifests.map((entry) => entry.platform)).toEqual(platforms);
  const [amd, arm] = await Promise.all(platforms.map((platform) => store.resolve("dev.local/a", platform)));
  expect(amd?.config).toMatchObject({ architecture: "amd64", config: { Env: ["A=1"], Cmd: ["/app"], User: "65532" } });
  expect(amd?.manifest.layers[0]?.digest).not.toBe(arm?.manifest.layers[0]?.digest);
  expect(amd?.manifest.layers[1]).toEqual(arm?.manifest.layers[1]);
  await expect(store.resolve("dev.local/a", { os: "linux", architecture: "s390x" })).rejects.toThrow(
    "only for linux/amd64",
  );
});

test("a base for another platform is refused, and one that is not here says how to get it", async () => {
  await buildImage(store, "dev.local/base", { ...app, architecture: "arm64" });
  await expect(buildImage(store, "dev.local/a", { ...app, base: "dev.local/base" })).rejects.toThrow(
    "not for linux/amd64",
  );
  await expect(buildImage(store, "dev.local/a", { ...app, base: "node:22" })).rejects.toThrow("ebb image pull node:22");
  expect(store.find("dev.local/a")).toBeUndefined();
});
