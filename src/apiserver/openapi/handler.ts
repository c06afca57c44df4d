import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Published } from "./operations.ts";
import { encodeOpenApiV2 } from "./v2-protobuf.ts";
import { openApiV2 } from "./v2.ts";
import { documentsOf, openApiV3 } from "./v3.ts";

/** Where the kinds come from; `version` goes up whenever they change. */
export interface KindSource {
  readonly version: number;
  all(): readonly Published[];
}

const v2ProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

interface Body {
  readonly type: string;
  readonly bytes: string | Uint8Array;
  readonly hash: string;
  /** The URL names the hash: what it answers never changes. */
  readonly immutable?: boolean;
}

/**
 * Serves `/openapi/v3`, `/openapi/v3/…` and `/openapi/v2`; false for other paths. Documents are made when asked for.
 * Clients keep v3 documents by their hash, so of those only the hashes are kept; v2 is read anew by every old kubectl
 * command and is kept once made.
 */
export function openApiHandler(
  source: KindSource,
): (path: string, request: IncomingMessage, response: ServerResponse) => boolean {
  let documents = new Documents(source.all(), source.version);
  return (path, request, response) => {
    if (!path.startsWith("/openapi/")) return false;
    if (documents.version !== source.version) documents = new Documents(source.all(), source.version);
    const body = documents.answer(path, request.headers.accept ?? "", new URL(request.url ?? "/", "http://ebb"));
    if (body) send(body, request, response);
    return body !== undefined;
  };
}

class Documents {
  readonly version: number;
  readonly #byKey: ReadonlyMap<string, readonly Published[]>;
  readonly #kinds: readonly Published[];
  readonly #hashes = new Map<string, string>();
  #v2Protobuf: Body | undefined;

  constructor(kinds: readonly Published[], version: number) {
    this.version = version;
    this.#kinds = kinds;
    this.#byKey = documentsOf(kinds);
  }

  answer(path: string, accept: string, url: URL): Body | undefined {
    if (path === "/openapi/v3") return this.#index();
    if (path === "/openapi/v2") return accept.includes("proto-openapi.spec.v2") ? this.#protobuf() : this.#json();
    const key = path.slice("/openapi/v3/".length);
    const text = path.startsWith("/openapi/v3/") ? this.#text(key) : undefined;
    if (text === undefined) return undefined;
    const hash = this.#hash(key);
    return { type: "application/json", bytes: text, hash, immutable: url.searchParams.get("hash") === hash };
  }

  #text(key: string): string | undefined {
    const kinds = this.#byKey.get(key);
    if (!kinds) return undefined;
    const text = JSON.stringify(openApiV3(kinds));
    if (!this.#hashes.has(key)) this.#hashes.set(key, hashOf(text));
    return text;
  }

  #hash(key: string): string {
    if (!this.#hashes.has(key)) this.#text(key);
    return this.#hashes.get(key) ?? "";
  }

  #index(): Body {
    const paths: Record<string, object> = {};
    for (const key of this.#byKey.keys())
      paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${this.#hash(key)}` };
    const text = JSON.stringify({ paths });
    return { type: "application/json", bytes: text, hash: hashOf(text) };
  }

  #json(): Body {
    const text = JSON.stringify(openApiV2(this.#kinds));
    return { type: "application/json", bytes: text, hash: hashOf(text) };
  }

  #protobuf(): Body {
    if (!this.#v2Protobuf) {
      const bytes = encodeOpenApiV2(openApiV2(this.#kinds));
      this.#v2Protobuf = { type: v2ProtobufType, bytes, hash: hashOf(bytes) };
    }
    return this.#v2Protobuf;
  }
}

const hashOf = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").toUpperCase();

function send({ type, bytes, hash, immutable }: Body, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("ETag", `"${hash}"`);
  response.setHeader("Vary", "Accept");
  response.setHeader("Cache-Control", immutable ? "public, immutable" : "no-cache, private");
  if (request.headers["if-none-match"] === `"${hash}"`) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.statusCode = 200;
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(bytes));
  response.end(bytes);
}
