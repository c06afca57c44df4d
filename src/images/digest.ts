import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";

const grammar = /^sha256:[0-9a-f]{64}$/;

/** The one algorithm that is filed and asked for here; others of the specification are not in use. */
export function isDigest(text: string): boolean {
  return grammar.test(text);
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The 64 hex digits. Throws on anything else: it becomes part of a path. */
export function hexOf(digest: string): string {
  if (!isDigest(digest))
    throw new ImageError("malformed", `"${digest}" is not a digest; one is sha256: and 64 hexadecimal digits`);
  return digest.slice(7);
}

/** First digits, as people tell images apart. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 19);
}
