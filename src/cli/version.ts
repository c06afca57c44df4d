import { readFileSync } from "node:fs";

/** ebb's own version, from its package. */
export function ebbVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}
