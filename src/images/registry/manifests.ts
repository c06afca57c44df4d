import { digestOf, isDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import { manifestTypes, type Descriptor, type Index, type Manifest } from "../oci.ts";
import type { ImageReference } from "../reference.ts";
import { one, type RegistryAnswer, type RegistryClient } from "./registry-client.ts";

export interface RemoteManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly document: Manifest | Index;
}

/** Larger ones are refused by the registries too. */
const maxManifestBytes = 4 << 20;

/** One repository of one registry, and what it is asked for. */
export interface RemoteTask {
  readonly client: RegistryClient;
  readonly reference: ImageReference;
  /** `pull docker.io/library/nginx:1`. */
  readonly task: string;
  readonly signal?: AbortSignal;
}

/** The request parts that all requests of a task share. */
export function about({ reference, task, signal }: RemoteTask, actions: "pull" | "pull,push" = "pull") {
  const scope = `repository:${reference.repository}:${actions}`;
  return { registry: reference.registry, scope, task, ...(signal ? { signal } : {}) };
}

/** The digest, media type and size a registry has under a tag; undefined when it has nothing. Costs one request. */
export async function headManifest(remote: RemoteTask, name: string): Promise<Descriptor | undefined> {
  const answer = await remote.client.ask({
    ...about(remote),
    method: "HEAD",
    path: `${remote.reference.repository}/manifests/${name}`,
    headers: { accept: manifestTypes.join(", ") },
    allow: [404],
  });
  await answer.body.dump();
  if (answer.status === 404) return undefined;
  const digest = one(answer.headers["docker-content-digest"]) ?? "";
  // Registries may leave it out: then only the bytes can tell.
  if (!isDigest(digest)) return (await getManifest(remote, name))?.descriptor;
  return { mediaType: typeOf(answer), digest, size: Number(one(answer.headers["content-length"]) ?? 0) };
}

/** A manifest or index by tag or digest, checked against the digest; undefined when the registry has none. */
export async function getManifest(remote: RemoteTask, name: string): Promise<RemoteManifest | undefined> {
  const answer = await remote.client.ask({
    ...about(remote),
    method: "GET",
    path: `${remote.reference.repository}/manifests/${name}`,
    headers: { accept: manifestTypes.join(", ") },
    allow: [404],
  });
  if (answer.status === 404) {
    await answer.body.dump();
    return undefined;
  }
  const bytes = await limitedBytes(answer, remote.task);
  const digest = digestOf(bytes);
  const promised = isDigest(name) ? name : one(answer.headers["docker-content-digest"]);
  if (promised !== undefined && isDigest(promised) && promised !== digest)
    throw new ImageError(
      "damaged",
      `cannot ${remote.task}: the manifest ${answer.url} hashes to ${digest}, not to ${promised}; nothing was kept`,
    );
  const document = parseManifest(bytes, answer, remote.task);
  const mediaType = document.mediaType ?? typeOf(answer);
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes, document };
}

async function limitedBytes(answer: RegistryAnswer, task: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxManifestBytes)
      throw new ImageError("too-large", `cannot ${task}: the manifest ${answer.url} is larger than 4 MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseManifest(bytes: Buffer, answer: RegistryAnswer, task: string): Manifest | Index {
  let document: Partial<Omit<Manifest & Index, "schemaVersion">> & { readonly schemaVersion?: number };
  try {
    document = JSON.parse(bytes.toString("utf8")) as typeof document;
  } catch (error) {
    const start = bytes.toString("utf8", 0, 60).trim();
    throw new ImageError("protocol", `cannot ${task}: ${answer.url} is no manifest but begins with "${start}"`, {
      cause: error,
    });
  }
  if (Array.isArray(document.manifests)) return document as unknown as Index;
  if (Array.isArray(document.layers) && document.config) return document as unknown as Manifest;
  if (document.schemaVersion === 1)
    throw new ImageError("protocol", `cannot ${task}: the image is in Docker's format of 2015; have it rebuilt`);
  throw new ImageError("protocol", `cannot ${task}: ${answer.url} is neither manifest nor index`);
}

function typeOf(answer: RegistryAnswer): string {
  return (one(answer.headers["content-type"]) ?? "").split(";")[0]?.trim() ?? "";
}
