import { functionModels, type HostName, type PushedClaim } from "../../functions/hosts/protocol.ts";
import { functionLabels } from "../../functions/build/labels.ts";
import type { LayerToPush } from "../../functions/pool/remote-host.ts";
import type { BlobFiles } from "../../images/blob-files.ts";
import {
  isIndex,
  pickPlatform,
  platformOf,
  type Descriptor,
  type ImageConfig,
  type Manifest,
} from "../../images/oci.ts";
import { parseImageReference } from "../../images/reference.ts";
import { fetchBlob } from "../../images/registry/fetch-blob.ts";
import { getManifest, type RemoteTask } from "../../images/registry/manifests.ts";
import type { RegistryClient } from "../../images/registry/registry-client.ts";
import { readFile } from "node:fs/promises";

/** What a claim needs of a function's image. */
export interface FunctionImage {
  readonly host: HostName;
  /** Which version of its runtime it is built for (PushedClaim.runtime); any when absent. */
  readonly runtime?: string;
  readonly claim: Omit<PushedClaim["claim"], "env" | "loadTimeoutMs">;
  /** What the image says of the environment, but for what concerns its own runtime. */
  readonly env: Readonly<Record<string, string>>;
  readonly layers: readonly LayerToPush[];
}

export interface FetchDeps {
  readonly blobs: BlobFiles;
  /** Directory of the blobs. */
  readonly dir: string;
  /** Whether there is room for these layers; it is then theirs. */
  readonly reserve: (layers: readonly Descriptor[]) => boolean;
}

/** A function whose layers are no more than this is kept in memory, ready to be sent. */
const inMemoryBytes = 4 << 20;

/** Where the runtime lies and which it is: the waiting host has its own. */
const ofTheRuntime =
  /^(PATH|LD_LIBRARY_PATH|SSL_CERT_FILE|HOME|LANG|NODE_VERSION|PYTHON_VERSION|PYTHON_SHA256|GPG_KEY)$/;

/**
 * Fetches of an image what a waiting host lacks: its facts and the function's own layers, not the base. Undefined for
 * an image that no host could run: not made by ebb, without a base, or by an ebb that did not mark the layers.
 */
export async function fetchFunction(
  { blobs, dir, reserve }: FetchDeps,
  client: RegistryClient,
  image: string,
  signal: AbortSignal,
): Promise<FunctionImage | undefined> {
  const reference = parseImageReference(image);
  if (!reference) return undefined;
  const remote: RemoteTask = { client, reference, task: `pull ${image}`, signal };
  const manifest = await manifestOf(remote, reference.digest ?? reference.tag ?? "latest");
  if (!manifest) return undefined;
  const fetch = (what: "config" | "layer", blob: Descriptor): Promise<void> =>
    fetchBlob({ ...remote, blobs, dir, what }, blob);
  await fetch("config", manifest.config);
  const config = JSON.parse(await readFile(blobs.file(manifest.config.digest), "utf8")) as ImageConfig;
  const facts = factsOf(config);
  if (!facts) return undefined;
  const own = manifest.layers.slice(-facts.ownLayers);
  // Python reads it from 3.14 on.
  if (facts.host === "python" && own.some(({ mediaType }) => mediaType.endsWith("+zstd"))) return undefined;
  if (!reserve(own)) throw new Error(`the layers of ${image} find no room beside those of other functions`);
  for (const layer of own) await fetch("layer", layer);
  const inMemory = own.reduce((sum, { size }) => sum + size, 0) <= inMemoryBytes;
  const layers = await Promise.all(
    own.map(async ({ digest, size }): Promise<LayerToPush> => {
      const file = blobs.file(digest);
      return inMemory ? { digest, size, bytes: await readFile(file) } : { digest, size, file };
    }),
  );
  const { ownLayers: _, ...rest } = facts;
  return { ...rest, layers };
}

async function manifestOf(remote: RemoteTask, name: string): Promise<Manifest | undefined> {
  const found = await getManifest(remote, name);
  if (!found || !isIndex(found.document)) return found?.document as Manifest | undefined;
  const picked = pickPlatform(found.document, platformOf(process.arch));
  return picked && (await manifestOf(remote, picked.digest));
}

/** What the labels say; undefined where they say too little. */
function factsOf({
  config = {},
}: ImageConfig): (Omit<FunctionImage, "layers"> & { readonly ownLayers: number }) | undefined {
  const labels = config.Labels ?? {};
  const host = labels[functionLabels.host];
  const entry = labels[functionLabels.entry];
  const ownLayers = Number(labels[functionLabels.ownLayers] ?? 0);
  if ((host !== "node" && host !== "python") || entry === undefined || !(ownLayers > 0)) return undefined;
  const { [functionLabels.target]: target, [functionLabels.signature]: signature } = labels;
  const modules = labels[functionLabels.modulePaths];
  // A minor version of Python is a language of its own, with modules compiled for it alone.
  const [, runtime] = (config.Env ?? []).join("\n").match(/^PYTHON_VERSION=(\d+\.\d+)/m) ?? [];
  return {
    host,
    ownLayers,
    ...(host === "python" && runtime !== undefined ? { runtime } : {}),
    claim: {
      entry,
      model: functionModels.find((one) => one === labels[functionLabels.model]) ?? "auto",
      ...(target === undefined ? {} : { target }),
      ...(signature === undefined ? {} : { signature }),
      ...(modules === undefined ? {} : { modulePaths: modules.split(":") }),
      cwd: config.WorkingDir || "/app",
    },
    env: Object.fromEntries(
      (config.Env ?? [])
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const)
        .filter(([name]) => !ofTheRuntime.test(name)),
    ),
  };
}
