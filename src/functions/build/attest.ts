import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { attach } from "../../images/attest/attach.ts";
import { layerPackages, nodePackageIn } from "../../images/attest/layer-packages.ts";
import { lockFiles } from "../../images/attest/lock-packages.ts";
import { distinct, packagesOf, type Package } from "../../images/attest/package.ts";
import { provenanceStatement, provenanceType } from "../../images/attest/provenance.ts";
import { spdxDocument } from "../../images/attest/spdx.ts";
import { referrersOf } from "../../images/referrers.ts";
import type { ImageStore } from "../../images/store.ts";
import type { Underlay } from "./build-function.ts";
import { functionLabels } from "./labels.ts";
import type { BuildContext, Packed } from "./language.ts";
import type { FunctionSource } from "./source.ts";

/** On a manifest: what was built into the image and cannot be seen in its layers, as package URLs between spaces. */
export const packagesAnnotation = "dev.ebb.packages";

/**
 * What the build alone knows of: what was bundled and, where neither that nor a layer of installed packages tells,
 * what the lock files say.
 */
export async function builtInPackages(source: FunctionSource, packed: Packed): Promise<readonly Package[]> {
  const bundled = await bundledPackages(packed.packageFiles ?? []);
  const seen = packed.packageFiles !== undefined || packed.layers.some(({ kind }) => kind === "stored");
  const locked: Package[] = [];
  for (const [file, read] of Object.entries(lockFiles)) {
    if (seen && (file === "package-lock.json" || file === "requirements.txt")) continue;
    locked.push(...read((await textOf(join(source.dir, file))) ?? ""));
  }
  return distinct([...bundled, ...locked]);
}

export interface Attesting {
  readonly ebbVersion: string;
  /** Where the source is, as long as that is known: its commit becomes part of the provenance. */
  readonly from?: { readonly source: FunctionSource; readonly context: Pick<BuildContext, "env" | "signal"> };
  readonly under?: Underlay;
  /** How many layers are the function's own, the uppermost. All when absent. */
  readonly ownLayers?: number;
}

/** Attaches to an image what is in it (SPDX) and how it came about (SLSA provenance). Both depend on the build alone. */
export async function attest(store: ImageStore, image: string, attesting: Attesting): Promise<void> {
  const resolved = await store.resolve(image);
  if (!resolved) return;
  const { ebbVersion, from, under, ownLayers = resolved.manifest.layers.length } = attesting;
  const { annotations = {} } = resolved.manifest;
  const { digest } = resolved.named;
  const [name = ""] = image.split("@");
  const found = annotations["org.opencontainers.image.base.digest"];
  const base = found === undefined || under === undefined ? {} : { base: { name: under.base, digest: found } };
  const packages = [...packagesOf(annotations[packagesAnnotation] ?? "")];
  const layers = ownLayers === 0 ? [] : resolved.manifest.layers.slice(-ownLayers);
  for (const layer of layers) packages.push(...(await layerPackages(store.blobs.file(layer.digest))));
  const facts = { image: name, digest, packages: distinct(packages), ebbVersion, ...base };
  await attach(store, image, { artifactType: sbomType, content: spdxDocument(facts) });
  const source = from && (await repositoryOf(from.source.dir, from.context));
  const labels = resolved.config.config?.Labels ?? {};
  const { language, entry, model } = from?.source ?? {
    entry: labels[functionLabels.entry],
    model: labels[functionLabels.model],
  };
  const parameters = { language, entry, model, base: under?.base, platforms: under?.platforms };
  await attach(store, image, {
    artifactType: "application/vnd.in-toto+json",
    content: provenanceStatement({ ...facts, parameters, ...(source ? { source } : {}) }),
    annotations: { "in-toto.io/predicate-type": provenanceType },
  });
}

const sbomType = "application/spdx+json";

/** Attests an image of a function that is to leave this machine and was built without: a deployment does not wait. */
export async function attestBefore(store: ImageStore, reference: string, ebbVersion: string): Promise<void> {
  // What is not for this machine, or not here, has not been built here.
  const image = await store.resolve(reference).catch(() => undefined);
  if (image?.config.config?.Labels?.[functionLabels.model] === undefined) return;
  const { named } = image;
  const known = (await store.list()).find(
    ({ name, digest }) => digest === named.digest && name.startsWith("dev.local/"),
  );
  if (!known) return;
  const referrers = await referrersOf(store, await store.list(), named.digest);
  if (referrers.some(({ artifactType }) => artifactType === sbomType)) return;
  const repository = known.name.replace(/[:@][^/]*$/, "");
  await attest(store, `${repository}@${named.digest}`, { ebbVersion });
}

async function bundledPackages(inputs: readonly string[]): Promise<readonly Package[]> {
  const folders = new Set(inputs.flatMap((file) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  // Each is small and there may be hundreds, which every deployment waits for: together, not one after the other.
  const texts = await Promise.all([...folders].map((folder) => textOf(join(folder, "package.json"))));
  return texts.flatMap((text) => nodePackageIn(text ?? ""));
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
  { env, signal }: Pick<BuildContext, "env" | "signal">,
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
