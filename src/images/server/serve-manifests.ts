import { readFile } from "node:fs/promises";
import { digestOf, isDigest } from "../digest.ts";
import { isIndex, manifestTypes, mediaTypes, type Descriptor, type Index, type Manifest } from "../oci.ts";
import { referrersOf } from "../referrers.ts";
import type { ImageStore, StoredName } from "../store.ts";
import { answer, answerJson, bodyOf, page, type Exchange } from "./exchange.ts";
import { RegistryFailure } from "./registry-failure.ts";
import { clientRepository, repositoryOf, storeRepository, tagOf } from "./repository-names.ts";
import { checkedDigest } from "./serve-blobs.ts";

const maxManifestBytes = 4 << 20;
const tagGrammar = /^\w[\w.-]{0,127}$/;

export async function serveManifest(
  store: ImageStore,
  exchange: Exchange,
  repository: string,
  reference: string,
): Promise<void> {
  switch (exchange.method) {
    case "GET":
    case "HEAD":
      return await readManifest(store, exchange, repository, reference);
    case "PUT":
      return await putManifest(store, exchange, repository, reference);
    case "DELETE":
      return await deleteManifest(store, exchange, repository, reference);
    default:
      throw new RegistryFailure("UNSUPPORTED", `${exchange.method} of a manifest`);
  }
}

/** All that is filed under a repository. */
async function namesIn(store: ImageStore, repository: string): Promise<readonly StoredName[]> {
  return (await store.list()).filter(({ name }) => repositoryOf(name) === repository);
}

async function readManifest(store: ImageStore, exchange: Exchange, name: string, reference: string): Promise<void> {
  const digest = await digestFor(store, storeRepository(name), reference);
  if (digest === undefined)
    throw new RegistryFailure("MANIFEST_UNKNOWN", "manifest unknown", { detail: { name, reference } });
  const bytes = await readFile(store.blobs.file(digest));
  const document = await store.readJson<Manifest | Index>(digest);
  const type = document?.mediaType ?? (document && isIndex(document) ? mediaTypes.index : mediaTypes.manifest);
  answer(exchange, 200, { "content-type": type, "docker-content-digest": digest, etag: `"${digest}"` }, bytes);
}

/** The manifest a tag or digest names in a repository: filed there itself, or part of an index that is. */
async function digestFor(store: ImageStore, repository: string, reference: string): Promise<string | undefined> {
  const names = await namesIn(store, repository);
  const wanted = isDigest(reference) ? reference : undefined;
  if (wanted === undefined && reference.includes(":")) checkedDigest(reference);
  const found = names.find((n) => (wanted === undefined ? tagOf(n.name) === reference : n.digest === wanted));
  if (found) return store.hasBlob(found.digest) ? found.digest : undefined;
  if (wanted === undefined || !store.hasBlob(wanted)) return undefined;
  for (const { digest } of names) {
    const document = await store.readJson<Manifest | Index>(digest);
    if (document && isIndex(document) && document.manifests.some((entry) => entry.digest === wanted)) return wanted;
  }
  return undefined;
}

async function putManifest(store: ImageStore, exchange: Exchange, name: string, reference: string): Promise<void> {
  const repository = storeRepository(name);
  if (!isDigest(reference) && !tagGrammar.test(reference)) {
    if (reference.includes(":")) checkedDigest(reference);
    throw new RegistryFailure("MANIFEST_INVALID", `"${reference}" cannot be a tag`);
  }
  const bytes = await bodyOf(exchange, maxManifestBytes);
  const digest = digestOf(bytes);
  if (isDigest(reference) && reference !== digest)
    throw new RegistryFailure("DIGEST_INVALID", `the manifest hashes to ${digest}, not to ${reference}`);
  const { document, mediaType } = parseManifest(exchange, bytes);
  if (!isIndex(document)) checkBlobs(store, document);
  await store.blobs.put(bytes);
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  await store.tag(isDigest(reference) ? `${repository}@${digest}` : `${repository}:${reference}`, descriptor);
  answer(exchange, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(document.subject ? { "oci-subject": document.subject.digest } : {}),
  });
}

function parseManifest(exchange: Exchange, bytes: Buffer): { document: Manifest | Index; mediaType: string } {
  let document: Manifest | Index;
  try {
    document = JSON.parse(bytes.toString("utf8")) as Manifest | Index;
  } catch (error) {
    throw new RegistryFailure("MANIFEST_INVALID", `not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const given = exchange.request.headers["content-type"]?.split(";")[0]?.trim();
  const mediaType = document.mediaType ?? given ?? mediaTypes.manifest;
  if (given !== undefined && document.mediaType !== undefined && given !== document.mediaType)
    throw new RegistryFailure("MANIFEST_INVALID", `sent as ${given}, but calls itself ${document.mediaType}`);
  if (!manifestTypes.includes(mediaType))
    throw new RegistryFailure("MANIFEST_INVALID", `${mediaType} is no manifest that is kept here`, { status: 415 });
  const listed = isIndex(document) ? document.manifests : document.layers;
  const config = isIndex(document) || isDescriptor(document.config);
  if (document.schemaVersion !== 2 || !Array.isArray(listed) || !listed.every(isDescriptor) || !config)
    throw new RegistryFailure("MANIFEST_INVALID", "neither an image manifest nor an index");
  return { document, mediaType };
}

function isDescriptor(value: Partial<Descriptor> | undefined): boolean {
  return typeof value?.mediaType === "string" && isDigest(String(value.digest)) && typeof value.size === "number";
}

function checkBlobs(store: ImageStore, manifest: Manifest): void {
  for (const blob of [manifest.config, ...manifest.layers]) {
    // Layers of which only the vendor may give copies.
    if (blob.mediaType.includes("nondistributable") || blob.mediaType.includes("foreign")) continue;
    const size = store.blobs.size(blob.digest);
    if (size === undefined)
      throw new RegistryFailure("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {
        detail: { digest: blob.digest },
      });
    if (size !== blob.size)
      throw new RegistryFailure("MANIFEST_INVALID", `${blob.digest} has ${size} bytes, not ${blob.size}`);
  }
}

async function deleteManifest(store: ImageStore, exchange: Exchange, name: string, reference: string): Promise<void> {
  const names = await namesIn(store, storeRepository(name));
  const digest = isDigest(reference) ? reference : undefined;
  const gone = names.filter((n) => (digest === undefined ? tagOf(n.name) === reference : n.digest === digest));
  if (gone.length === 0) throw new RegistryFailure("MANIFEST_UNKNOWN", "manifest unknown");
  store.untag(gone.map((n) => n.name));
  answer(exchange, 202, {});
}

export async function serveTags(store: ImageStore, exchange: Exchange, name: string): Promise<void> {
  const names = await namesIn(store, storeRepository(name));
  if (names.length === 0) throw new RegistryFailure("NAME_UNKNOWN", "repository name not known to registry");
  const tags = names.flatMap((n) => tagOf(n.name) ?? []).sort();
  const { items, headers } = page(tags, exchange.query, `/v2/${name}/tags/list`);
  answerJson(exchange, { name, tags: items }, headers);
}

/** `GET /v2/_catalog`. */
export async function serveCatalog(store: ImageStore, exchange: Exchange): Promise<void> {
  const names = (await store.list()).map(({ name }) => clientRepository(repositoryOf(name)));
  const { items, headers } = page([...new Set(names)].sort(), exchange.query, "/v2/_catalog");
  answerJson(exchange, { repositories: items }, headers);
}

export async function serveReferrers(
  store: ImageStore,
  exchange: Exchange,
  name: string,
  digest: string,
): Promise<void> {
  const names = await namesIn(store, storeRepository(name));
  const wanted = exchange.query.get("artifactType");
  const all = await referrersOf(store, names, checkedDigest(digest));
  const manifests = wanted === null ? all : all.filter((entry) => entry.artifactType === wanted);
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  const filtered = wanted === null ? {} : { "oci-filters-applied": "artifactType" };
  answerJson(exchange, index, { "content-type": mediaTypes.index, ...filtered });
}
