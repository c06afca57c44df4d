import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { attach } from "../../images/attest/attach.ts";
import { layerPackages, nodePackageIn } from "../../images/attest/layer-packages.ts";
import { lockFiles } from "../../images/attest/lock-packages.ts";
import { distinct, type Package } from "../../images/attest/package.ts";
import { provenanceStatement, provenanceType } from "../../images/attest/provenance.ts";
import { spdxDocument } from "../../images/attest/spdx.ts";
import type { Underlay } from "./build-function.ts";
import type { BuildContext, Packed } from "./language.ts";
import type { FunctionSource } from "./source.ts";

export interface Attested {
  readonly source: FunctionSource;
  readonly packed: Packed;
  /** Pinned by digest. */
  readonly image: string;
  readonly under: Underlay;
}

/** Attaches to an image what is in it (SPDX) and how it came about (SLSA provenance). Both depend on the build alone. */
export async function attest(context: BuildContext, built: Attested, ebbVersion: string): Promise<void> {
  const { store } = context;
  const [name = "", digest = ""] = built.image.split("@");
  const resolved = await store.resolve(built.image);
  if (!resolved) return;
  const found = resolved.manifest.annotations?.["org.opencontainers.image.base.digest"];
  const base = found === undefined ? {} : { base: { name: built.under.base, digest: found } };
  const own = built.packed.layers.length + 1;
  const packages = await packagesOf(context, built, resolved.manifest.layers.slice(-own));
  const facts = { image: name, digest, packages, ebbVersion, ...base };
  await attach(store, built.image, { artifactType: "application/spdx+json", content: spdxDocument(facts) });
  const { language, entry, model } = built.source;
  const source = await repositoryOf(built.source.dir, context);
  const parameters = { language, entry, model, base: built.under.base, platforms: built.under.platforms };
  await attach(store, built.image, {
    artifactType: "application/vnd.in-toto+json",
    content: provenanceStatement({ ...facts, parameters, ...(source ? { source } : {}) }),
    annotations: { "in-toto.io/predicate-type": provenanceType },
  });
}

/** What was bundled, what is installed in the layers, and, where neither tells, what the lock files say. */
async function packagesOf(
  { store }: BuildContext,
  { source, packed }: Attested,
  layers: readonly { readonly digest: string }[],
): Promise<readonly Package[]> {
  const bundled = await bundledPackages(packed.packageFiles ?? []);
  const installed: Package[] = [];
  for (const { digest } of layers) installed.push(...(await layerPackages(store.blobs.file(digest))));
  const seen = packed.packageFiles !== undefined || installed.length > 0;
  const locked: Package[] = [];
  for (const [file, read] of Object.entries(lockFiles)) {
    if (seen && (file === "package-lock.json" || file === "requirements.txt")) continue;
    locked.push(...read((await textOf(join(source.dir, file))) ?? ""));
  }
  return distinct([...bundled, ...installed, ...locked]);
}

async function bundledPackages(inputs: readonly string[]): Promise<readonly Package[]> {
  const folders = new Set(inputs.flatMap((file) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  const found: Package[] = [];
  for (const folder of folders) found.push(...nodePackageIn((await textOf(join(folder, "package.json"))) ?? ""));
  return found;
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}

/** Commit and remote, of a folder without changes; undefined where git knows nothing, or is not there. */
async function repositoryOf(
  dir: string,
  { env, signal }: BuildContext,
): Promise<{ readonly uri: string; readonly commit: string } | undefined> {
  const git = async (...words: readonly string[]): Promise<string | undefined> =>
    await new Promise((resolve) => {
      execFile("git", ["-C", dir, ...words], { env: { ...env }, signal, timeout: 5000 }, (error, stdout) =>
        resolve(error ? undefined : stdout.trim()),
      );
    });
  const commit = await git("rev-parse", "HEAD");
  if (commit === undefined || (await git("status", "--porcelain", "--", ".")) !== "") return undefined;
  const remote = await git("remote", "get-url", "origin");
  // A login may be part of it.
  const uri = remote?.replace(/^(\w+:\/\/)[^@/]*@/, "$1");
  return { uri: uri === undefined ? "git+local" : `git+${uri}`, commit };
}
