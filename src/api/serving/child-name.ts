/** Names of objects made on behalf of another (knative.dev/pkg kmeta/names.go). */
import { createHash } from "node:crypto";

const longest = 63;
const hashLength = 32;
/** What is left of a parent's name in front of a hash. */
const head = longest - hashLength;

/**
 * `parent` + `suffix` where that fits a DNS label, else a head of the parent, the md5 of the whole parent and the
 * suffix; with a suffix of 31 characters and more the hash covers both and the suffix is cut.
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= longest) return parent + suffix;
  if (suffix.length < head) return parent.slice(0, head - suffix.length) + md5(parent) + suffix;
  const long = parent.slice(0, head) + md5(parent + suffix);
  const cut = (long + suffix).slice(0, longest);
  return cut.replace(/[^a-zA-Z0-9]+$/, "");
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
