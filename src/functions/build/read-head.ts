import { closeSync, openSync, readSync } from "node:fs";
import { SourceError } from "./source.ts";

/** The first bytes of a file, at most `size`. Throws SourceError when it cannot be read. */
export function readHead(file: string, size: number): Buffer {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new SourceError(`cannot read "${file}" (${why}): make it readable`, { cause: error });
  }
  try {
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(handle, bytes));
  } finally {
    closeSync(handle);
  }
}
