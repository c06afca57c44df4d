import { createHash, randomUUID, type Hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createReadStream, existsSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDiskFull, writeAll } from "../blob-files.ts";
import type { ImageStore } from "../store.ts";
import { answer, type Exchange } from "./exchange.ts";
import { RegistryFailure } from "./registry-failure.ts";
import { storeRepository } from "./repository-names.ts";
import { checkedDigest } from "./serve-blobs.ts";

interface Upload {
  readonly file: string;
  readonly repository: string;
  size: number;
  /** Of the first `size` bytes; undefined when it has to be read anew. */
  hash: Hash | undefined;
  /** The request that is writing, and its end. */
  writing: { readonly request: IncomingMessage; readonly done: Promise<void> } | undefined;
}

const idGrammar = /^[0-9a-f-]{36}$/;

/**
 * Blobs on their way in (distribution spec, "Pushing Blobs"): at once, in one go, or in chunks. What has arrived
 * survives broken connections and a restart of the registry, but for an upload the disk has no room for.
 */
export class Uploads {
  readonly #store: ImageStore;
  readonly #open = new Map<string, Upload>();

  constructor(store: ImageStore) {
    this.#store = store;
  }

  /** `POST …/blobs/uploads/`. */
  async begin(exchange: Exchange, repository: string): Promise<void> {
    const { query } = exchange;
    const mount = query.get("mount");
    // One store serves all repositories: a blob of one is there for each.
    if (mount !== null && this.#store.blobs.size(checkedDigest(mount)) !== undefined) {
      await this.#store.blobs.touch(mount);
      this.#created(exchange, repository, mount);
      return;
    }
    storeRepository(repository);
    const id = randomUUID();
    const upload = { file: this.#file(id), repository, size: 0, hash: createHash("sha256"), writing: undefined };
    await (await open(upload.file, "wx")).close();
    this.#open.set(id, upload);
    const digest = query.get("digest");
    if (digest === null) this.#accepted(exchange, id, upload, 202);
    else await this.#finish(exchange, id, upload, digest);
  }

  /** `GET`, `PATCH`, `PUT` and `DELETE` of `…/blobs/uploads/<id>`. */
  async continue(exchange: Exchange, repository: string, id: string): Promise<void> {
    const upload = this.#find(id, repository);
    await takeOver(upload);
    switch (exchange.method) {
      case "GET":
        this.#accepted(exchange, id, upload, 204);
        return;
      case "PATCH":
        await this.#append(exchange, id, upload);
        this.#accepted(exchange, id, upload, 202);
        return;
      case "PUT":
        await this.#finish(exchange, id, upload, exchange.query.get("digest") ?? "");
        return;
      case "DELETE":
        await this.#drop(id, upload);
        answer(exchange, 204, {});
        return;
      default:
        throw new RegistryFailure("UNSUPPORTED", `${exchange.method} of an upload`);
    }
  }

  #file(id: string): string {
    return join(this.#store.dir, "drafts", `upload-${id}.tmp`);
  }

  #find(id: string, repository: string): Upload {
    const known = this.#open.get(id);
    if (known && known.repository === repository) return known;
    const file = idGrammar.test(id) ? this.#file(id) : "";
    if (known || file === "" || !existsSync(file))
      throw new RegistryFailure("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    const upload = { file, repository, size: statSync(file).size, hash: undefined, writing: undefined };
    this.#open.set(id, upload);
    return upload;
  }

  async #append(exchange: Exchange, id: string, upload: Upload): Promise<void> {
    const range = exchange.request.headers["content-range"];
    const start = range === undefined ? upload.size : Number(/^(?:bytes )?(\d+)-\d+/.exec(range)?.[1] ?? Number.NaN);
    if (start !== upload.size)
      throw new RegistryFailure("BLOB_UPLOAD_INVALID", `the next byte is ${upload.size}, not ${start}`, {
        status: 416,
        headers: this.#headers(id, upload),
      });
    const { promise, resolve } = Promise.withResolvers<void>();
    upload.writing = { request: exchange.request, done: promise };
    try {
      await using handle = await open(upload.file, "a");
      for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
        upload.hash?.update(chunk);
        await writeAll(handle, chunk);
        upload.size += chunk.byteLength;
      }
    } catch (error) {
      if (isDiskFull(error)) await this.#drop(id, upload);
      throw error;
    } finally {
      upload.writing = undefined;
      resolve();
    }
  }

  async #finish(exchange: Exchange, id: string, upload: Upload, text: string): Promise<void> {
    const digest = checkedDigest(text);
    await this.#append(exchange, id, upload);
    const hash = upload.hash ?? (await hashFile(upload.file));
    const got = `sha256:${hash.digest("hex")}`;
    if (got !== digest) {
      await this.#drop(id, upload);
      throw new RegistryFailure("DIGEST_INVALID", `the content hashes to ${got}, not to ${digest}`);
    }
    this.#open.delete(id);
    await this.#store.blobs.adopt(upload.file, digest);
    this.#created(exchange, upload.repository, digest);
  }

  async #drop(id: string, upload: Upload): Promise<void> {
    this.#open.delete(id);
    await rm(upload.file, { force: true });
  }

  #headers(id: string, upload: Upload): Record<string, string> {
    return {
      location: `/v2/${upload.repository}/blobs/uploads/${id}`,
      range: `0-${Math.max(0, upload.size - 1)}`,
      "docker-upload-uuid": id,
    };
  }

  #accepted(exchange: Exchange, id: string, upload: Upload, status: number): void {
    answer(exchange, status, this.#headers(id, upload));
  }

  #created(exchange: Exchange, repository: string, digest: string): void {
    answer(exchange, 201, { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest });
  }
}

/** A client that comes again has lost its earlier connection, which may not have been noticed here. */
async function takeOver(upload: Upload): Promise<void> {
  while (upload.writing) {
    upload.writing.request.destroy();
    await upload.writing.done;
  }
}

async function hashFile(file: string): Promise<Hash> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return hash;
}
