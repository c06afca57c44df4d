/**
 * Serves a site's files. Bundled into the image beside them, as a `(req, res)` function of the Node host; it knows
 * nothing else of ebb. `SITE_FALLBACK` names the page that answers for paths without a file (a single-page
 * application's index.html).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseRange } from "./byte-range.ts";
import { findFile, type SiteIndex } from "./find-file.ts";
import { mediaType } from "./site-types.ts";

const { createReadStream, readFileSync } = process.getBuiltinModule("node:fs");
const { join } = process.getBuiltinModule("node:path");

const here = import.meta.dirname;
const index = JSON.parse(readFileSync(join(here, "site-index.json"), "utf8")) as SiteIndex;
const fallback = process.env["SITE_FALLBACK"]?.replace(/^\/+/, "");

// A function of the Node host is a module's default export.
// oxlint-disable-next-line no-default-export
export default function serve(req: IncomingMessage, res: ServerResponse): void {
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.setHeader("Allow", "GET, HEAD");
    return plain(res, 405, "only GET and HEAD");
  }
  const found = findFile(index, req.url ?? "/", fallback);
  if (found.kind === "none") return plain(res, found.status, found.status === 400 ? "bad path" : "not found");
  if (found.kind === "redirect") {
    res.setHeader("Location", found.to);
    return plain(res, 308, "");
  }
  const { name, encoding } = encoded(found.path, String(req.headers["accept-encoding"] ?? ""));
  const [size, digest] = index[name] ?? [0, ""];
  const etag = `"${digest}"`;
  res.setHeader("ETag", etag);
  res.setHeader("Cache-Control", cacheControl(found.path));
  if (hasVariants(found.path)) res.setHeader("Vary", "Accept-Encoding");
  if (found.status === 200 && matches(req.headers["if-none-match"], etag)) {
    res.statusCode = 304;
    res.end();
    return;
  }
  res.setHeader("Content-Type", mediaType(found.path));
  res.setHeader("X-Content-Type-Options", "nosniff");
  if (encoding !== undefined) res.setHeader("Content-Encoding", encoding);
  sendBody(req, res, { file: join(here, "site", name), size, etag, status: found.status });
}

interface Body {
  readonly file: string;
  readonly size: number;
  readonly etag: string;
  readonly status: 200 | 404;
}

function sendBody(req: IncomingMessage, res: ServerResponse, { file, size, etag, status }: Body): void {
  res.setHeader("Accept-Ranges", "bytes");
  const ifRange = req.headers["if-range"];
  const asked = status === 200 && (ifRange === undefined || ifRange === etag) ? req.headers.range : undefined;
  const range = parseRange(asked, size);
  if (range === "unsatisfiable") {
    res.removeHeader("Content-Type");
    res.removeHeader("Content-Encoding");
    res.setHeader("Content-Range", `bytes */${size}`);
    return plain(res, 416, "no such range");
  }
  const { first, last } = range === "whole" ? { first: 0, last: size - 1 } : range;
  res.statusCode = range === "whole" ? status : 206;
  if (range !== "whole") res.setHeader("Content-Range", `bytes ${first}-${last}/${size}`);
  res.setHeader("Content-Length", last - first + 1);
  if (req.method === "HEAD" || size === 0) {
    res.end();
    return;
  }
  const stream = createReadStream(file, { start: first, end: last });
  // What was promised by Content-Length cannot be kept: cut, so that nobody takes a part for the whole.
  stream.on("error", (error) => res.destroy(error));
  res.on("close", () => stream.destroy());
  stream.pipe(res);
}

/** The smallest form of a file that was built beside it and that the client takes. */
function encoded(path: string, accepts: string): { readonly name: string; readonly encoding?: string } {
  for (const [encoding, ending] of variants)
    if (Object.hasOwn(index, path + ending) && taken(accepts, encoding)) return { name: path + ending, encoding };
  return { name: path };
}

const variants = [
  ["br", ".br"],
  ["zstd", ".zst"],
  ["gzip", ".gz"],
] as const;

const hasVariants = (path: string): boolean => variants.some(([, ending]) => Object.hasOwn(index, path + ending));

/** `gzip;q=0` refuses it (RFC 9110 §12.5.3). */
function taken(accepts: string, encoding: string): boolean {
  const [, parameters] = accepts
    .split(",")
    .map((part) => part.trim().split(/\s*;\s*/))
    .map(([name = "", ...rest]) => [name.toLowerCase(), rest] as const)
    .find(([name]) => name === encoding) ?? [undefined, undefined];
  return parameters !== undefined && !parameters.some((p) => /^q=0(?:\.0*)?$/.test(p));
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

/** Names that a build tool makes of contents never change their meaning; all others are asked for again. */
const cacheControl = (path: string): string =>
  /[.-](?=[\w-]*\d)[\w-]{8,}\.(?:js|mjs|css|woff2?|png|jpe?g|gif|svg|webp|avif|wasm)$/.test(path)
    ? "public, max-age=31536000, immutable"
    : "public, max-age=0, must-revalidate";

function plain(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end(text === "" ? "" : `${text}\n`);
}
