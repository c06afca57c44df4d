import { readFile } from "node:fs/promises";
import { digestOf, shortDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import { isIndex, mediaTypes, type Descriptor, type Index, type Manifest } from "../oci.ts";
import { canonicalName, parseImageReference, type ImageReference } from "../reference.ts";
import { referrersOf, referrersTag } from "../referrers.ts";
import type { ImageStore } from "../store.ts";
import { about, getManifest, type RemoteTask } from "./manifests.ts";
import { forEachAtOnce, type OnProgress } from "./progress.ts";
import { one, type RegistryClient } from "./registry-client.ts";
import type { RetryDeps } from "./retry.ts";
import { sendBlob } from "./send-blob.ts";

export interface PushOptions {
  readonly signal?: AbortSignal;
  readonly progress?: OnProgress;
  readonly retry?: RetryDeps;
  /** Leaves SBOMs, provenance and signatures of the image here. */
  readonly withoutReferrers?: boolean;
}

export interface PushedImage {
  /** `registry/repository@sha256:…`. */
  readonly reference: string;
  readonly digest: string;
  /** Bytes of blobs that travelled; those the registry had, or copied itself, do not count. */
  readonly sentBytes: number;
  readonly sentBlobs: readonly string[];
}

const blobsAtOnce = 4;

/**
 * Copies an image of the store, index or manifest, with all that refers to it, to a registry under another name (or its
 * own). Only blobs the registry does not have travel; its manifest goes last, so that nothing half sent has the name.
 */
export async function pushImage(
  deps: { readonly client: RegistryClient; readonly store: ImageStore },
  from: string,
  to: string,
  options: PushOptions = {},
): Promise<PushedImage> {
  const reference = parseImageReference(to);
  if (!reference) throw new ImageError("malformed", `not an image reference: "${to}"`);
  const named = deps.store.find(from);
  if (!named) throw new ImageError("not-found", `there is no image "${from}" in the store; "ebb image ls" lists them`);
  const name = canonicalName(reference);
  const push = new Push(deps, reference, name, options);
  await push.document(named.digest, reference.digest ?? reference.tag ?? "latest");
  if (!options.withoutReferrers) await push.referrers();
  const base = `${reference.registry}/${reference.repository}`;
  return { reference: `${base}@${named.digest}`, digest: named.digest, ...push.sent() };
}

class Push {
  readonly #store: ImageStore;
  readonly #remote: RemoteTask;
  readonly #options: PushOptions;
  readonly #reference: ImageReference;
  readonly #sentBlobs: Descriptor[] = [];
  /** Digests of manifests and indexes that are there now. */
  readonly #documents: string[] = [];

  constructor(
    deps: { readonly client: RegistryClient; readonly store: ImageStore },
    reference: ImageReference,
    name: string,
    options: PushOptions,
  ) {
    const { signal } = options;
    this.#store = deps.store;
    this.#reference = reference;
    this.#options = options;
    this.#remote = { client: deps.client, reference, task: `push ${name}`, ...(signal ? { signal } : {}) };
  }

  sent(): Pick<PushedImage, "sentBytes" | "sentBlobs"> {
    return {
      sentBytes: this.#sentBlobs.reduce((sum, blob) => sum + blob.size, 0),
      sentBlobs: this.#sentBlobs.map((blob) => blob.digest),
    };
  }

  /** Sends what a manifest or index names, then itself. */
  async document(digest: string, under: string): Promise<void> {
    const document = await this.#store.readJson<Manifest | Index>(digest);
    if (!document) throw this.#missing(digest);
    if (isIndex(document)) for (const entry of document.manifests) await this.document(entry.digest, entry.digest);
    else await this.#blobs(document);
    const bytes = await readFile(this.#store.blobs.file(digest));
    if (digestOf(bytes) !== digest) throw this.#missing(digest);
    await this.#put(bytes, document, under);
    this.#documents.push(digest);
  }

  async #blobs(manifest: Manifest): Promise<void> {
    const { progress, retry } = this.#options;
    const blobs = new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob] as const));
    const stop = new AbortController();
    const { signal } = this.#remote;
    const send = {
      ...this.#remote,
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      blobs: this.#store.blobs,
      ...(progress ? { progress } : {}),
      ...(retry ? { retry } : {}),
    };
    try {
      await forEachAtOnce([...blobs.values()], blobsAtOnce, async (blob) => {
        const what = blob === manifest.config ? "config" : "layer";
        const mountFrom = await this.#elsewhere(blob.digest);
        if (this.#store.blobs.size(blob.digest) === undefined) throw this.#missing(blob.digest);
        const outcome = await sendBlob({ ...send, what, ...(mountFrom === undefined ? {} : { mountFrom }) }, blob);
        if (outcome === "sent") this.#sentBlobs.push(blob);
      });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  /** Another repository of the same registry from which the blob was pulled: the registry can copy it itself. */
  async #elsewhere(digest: string): Promise<string | undefined> {
    const { registry, repository } = this.#reference;
    for (const { name, digest: root } of await this.#store.list()) {
      const other = parseImageReference(name);
      if (other?.registry !== registry || other.repository === repository) continue;
      if (await this.#holds(root, digest)) return other.repository;
    }
    return undefined;
  }

  async #holds(root: string, digest: string): Promise<boolean> {
    const document = await this.#store.readJson<Manifest | Index>(root);
    if (!document) return false;
    if (!isIndex(document)) return document.layers.some((layer) => layer.digest === digest);
    for (const entry of document.manifests) if (await this.#holds(entry.digest, digest)) return true;
    return false;
  }

  async #put(bytes: Buffer, document: Manifest | Index, under: string): Promise<boolean> {
    const { repository } = this.#reference;
    const mediaType = document.mediaType ?? (isIndex(document) ? mediaTypes.index : mediaTypes.manifest);
    const answer = await this.#remote.client.ask({
      ...about(this.#remote, "pull,push"),
      method: "PUT",
      path: `${repository}/manifests/${under}`,
      headers: { "content-type": mediaType },
      body: () => bytes,
    });
    await answer.body.dump();
    const digest = digestOf(bytes);
    const got = one(answer.headers["docker-content-digest"]);
    if (got !== undefined && got !== digest)
      throw new ImageError(
        "damaged",
        `cannot ${this.#remote.task}: the registry filed ${digest} as ${got}; push again`,
      );
    this.#options.progress?.({ digest, size: bytes.length, done: bytes.length, state: "done", what: "manifest" });
    return one(answer.headers["oci-subject"]) !== undefined;
  }

  /** What the store has about each document that was sent, and about that. */
  async referrers(): Promise<void> {
    const names = await this.#store.list();
    for (let i = 0; i < this.#documents.length; i += 1) {
      const subject = this.#documents[i] ?? "";
      const unlisted: Descriptor[] = [];
      for (const referrer of await referrersOf(this.#store, names, subject)) {
        const document = await this.#store.readJson<Manifest | Index>(referrer.digest);
        if (!document || this.#documents.includes(referrer.digest)) continue;
        if (!isIndex(document)) await this.#blobs(document);
        const bytes = await readFile(this.#store.blobs.file(referrer.digest));
        const understood = await this.#put(bytes, document, referrer.digest);
        if (!understood) unlisted.push(referrer);
        this.#documents.push(referrer.digest);
      }
      if (unlisted.length > 0) await this.#list(subject, unlisted);
    }
  }

  /** For registries that know no referrers: an index under a tag made of the digest. */
  async #list(subject: string, referrers: readonly Descriptor[]): Promise<void> {
    const tag = referrersTag(subject);
    const known = await getManifest(this.#remote, tag);
    const before = known && isIndex(known.document) ? known.document.manifests : [];
    const added = referrers.filter((r) => !before.some((entry) => entry.digest === r.digest));
    if (added.length === 0) return;
    const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...before, ...added] };
    await this.#put(Buffer.from(JSON.stringify(index)), index, tag);
  }

  #missing(digest: string): ImageError {
    return new ImageError(
      "damaged",
      `cannot ${this.#remote.task}: the store does not have ${shortDigest(digest)}… whole. An image pulled for one platform can be pushed with --platform; else deploy, pull or load it again`,
    );
  }
}
