import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { isDigest } from "../digest.ts";
import type { ImageStore } from "../store.ts";
import { answer, type Exchange } from "./exchange.ts";
import { RegistryFailure } from "./registry-failure.ts";

export function checkedDigest(text: string): string {
  if (!isDigest(text)) throw new RegistryFailure("DIGEST_INVALID", `"${text}" is not a sha256 digest`);
  return text;
}

/** `GET` and `HEAD` of a blob, whole or from one place to another (RFC 9110 §14). */
export async function serveBlob(store: ImageStore, exchange: Exchange, digest: string): Promise<void> {
  const { method, request, response } = exchange;
  if (method === "DELETE")
    throw new RegistryFailure("UNSUPPORTED", 'blobs are shared; "ebb image gc" removes those nothing needs');
  if (method !== "GET" && method !== "HEAD") throw new RegistryFailure("UNSUPPORTED", `${method} of a blob`);
  const size = store.blobs.size(checkedDigest(digest));
  if (size === undefined) throw new RegistryFailure("BLOB_UNKNOWN", "blob unknown to registry", { detail: { digest } });
  const range = rangeOf(request.headers.range, size);
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
  };
  if (range === "unsatisfiable") {
    answer(exchange, 416, { "content-range": `bytes */${size}` });
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    "content-length": end - start + 1,
    ...(range ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
  });
  if (method === "HEAD" || size === 0) response.end();
  else await pipeline(createReadStream(store.blobs.file(digest), { start, end, highWaterMark: 1 << 18 }), response);
}

/** One range of bytes; undefined when there is none, or several, which may be ignored. */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from = "", to = ""] = match;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start >= size || end < start ? "unsatisfiable" : { start, end };
}
